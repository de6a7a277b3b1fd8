//! What the OpenID Foundation's conformance suite asks of a provider, and what a reviewer asks beyond
//! it: one test for each module, named after it, for each response type and mode that it is for. Which
//! test holds which statement is listed in `docs/conformance.md`.

mod authorization_requests;
mod authorization_responses;
mod backchannel_logout;
mod code_and_tokens;
mod consent;
mod device;
mod discovery;
mod form_post;
mod frontchannel_logout;
mod id_tokens;
mod implicit_and_hybrid;
mod key_rotation;
mod pairwise;
mod par;
mod prompts_and_ages;
mod refresh;
mod request_objects;
mod rp_initiated_logout;
mod step_up;
mod suite;
mod token_exchange;
mod transactions;
mod userinfo;
