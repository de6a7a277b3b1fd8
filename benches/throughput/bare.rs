//! What gatehouse is compared with: a bare actix handler that reads the request and answers as many
//! bytes, with and without one raw signature; Argon2 and nothing else.

use std::io::BufRead as _;
use std::net::{SocketAddr, TcpListener};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use actix_web::{App, HttpResponse, HttpServer, web};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _,
    ParsedPublicKey, RSA_PKCS1_SHA256, RsaKeyPair,
};
use bytes::Bytes;

use super::load::{self, Round, Script};
use super::process::{self, Helper};

/// Runs as one of the helpers.
pub fn help(arguments: &[String]) {
    match arguments {
        [what] if what == "http" => actix_web::rt::System::new().block_on(serve()),
        [what, memory, passes, threads, nice] if what == "argon2" => {
            hash(memory.parse().unwrap(), passes.parse().unwrap(), threads.parse().unwrap(), nice.parse().unwrap());
        }
        other => panic!("no such helper: {other:?}"),
    }
}

/// Signatures of what is as long as a token's header and claims.
pub struct RawSignatures {
    random: SystemRandom,
    ec: EcdsaKeyPair,
    rsa: RsaKeyPair,
    ed: Ed25519KeyPair,
    message: Vec<u8>,
}

impl RawSignatures {
    pub fn new() -> Self {
        Self {
            random: SystemRandom::new(),
            ec: EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap(),
            rsa: RsaKeyPair::generate(KeySize::Rsa2048).unwrap(),
            ed: Ed25519KeyPair::generate().unwrap(),
            message: vec![b'm'; 500],
        }
    }

    /// One for an access token (ES256) and one for an ID token.
    pub fn access_and_id(&self, alg: &str) {
        self.es256();
        if alg == "RS256" { self.rs256() } else { self.es256() }
    }

    fn es256(&self) {
        std::hint::black_box(self.ec.sign(&self.random, &self.message).unwrap());
    }

    fn rs256(&self) {
        let mut signature = vec![0; self.rsa.public_modulus_len()];
        self.rsa.sign(&RSA_PKCS1_SHA256, &self.random, &self.message, &mut signature).unwrap();
        std::hint::black_box(signature);
    }

    fn eddsa(&self) {
        std::hint::black_box(self.ed.sign(&self.message));
    }
}

struct Keys {
    raw: RawSignatures,
    verifying: ParsedPublicKey,
    signature: Vec<u8>,
    answer: Bytes,
}

async fn serve() {
    let raw = RawSignatures::new();
    let keys = web::Data::new(Keys {
        verifying: ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, raw.ec.public_key().as_ref()).unwrap(),
        signature: raw.ec.sign(&raw.random, &raw.message).unwrap().as_ref().to_vec(),
        raw,
        answer: Bytes::from(vec![b'x'; 64 * 1024]),
    });
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = HttpServer::new(move || {
        App::new()
            .app_data(keys.clone())
            .route("/plain/{size}", web::to(plain))
            .route("/ES256/{size}", web::to(es256))
            .route("/RS256/{size}", web::to(rs256))
            .route("/EdDSA/{size}", web::to(eddsa))
            .route("/ES256-verify/{size}", web::to(es256_verify))
    });
    let server = server.workers(process::cores()).tcp_nodelay(true).disable_signals().listen(listener).unwrap().run();
    println!("{address}");
    std::thread::spawn(|| {
        let _ = std::io::stdin().lock().lines().count(); // until whoever started us is gone
        std::process::exit(0);
    });
    server.await.unwrap();
}

fn answer(keys: &Keys, size: usize) -> HttpResponse {
    HttpResponse::Ok().content_type("application/json").body(keys.answer.slice(..size))
}

async fn plain(keys: web::Data<Keys>, size: web::Path<usize>, _body: Bytes) -> HttpResponse {
    answer(&keys, *size)
}

async fn es256(keys: web::Data<Keys>, size: web::Path<usize>, _body: Bytes) -> HttpResponse {
    keys.raw.es256();
    answer(&keys, *size)
}

async fn rs256(keys: web::Data<Keys>, size: web::Path<usize>, _body: Bytes) -> HttpResponse {
    keys.raw.rs256();
    answer(&keys, *size)
}

async fn eddsa(keys: web::Data<Keys>, size: web::Path<usize>, _body: Bytes) -> HttpResponse {
    keys.raw.eddsa();
    answer(&keys, *size)
}

async fn es256_verify(keys: web::Data<Keys>, size: web::Path<usize>, _body: Bytes) -> HttpResponse {
    keys.verifying.verify_sig(&keys.raw.message, &keys.signature).unwrap();
    answer(&keys, *size)
}

/// For each line with a number of milliseconds: hashes that long on every thread, and answers with
/// the number of hashes.
fn hash(memory: u32, passes: u32, threads: usize, nice: i32) {
    for line in std::io::stdin().lock().lines() {
        let ends = Instant::now() + Duration::from_millis(line.unwrap().parse().unwrap());
        let done = AtomicU64::new(0);
        std::thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| {
                    let _ = rustix::process::setpriority_process(Some(rustix::thread::gettid()), nice);
                    let params = Params::new(memory, passes, 1, Some(32)).unwrap();
                    let mut blocks = vec![Block::default(); params.block_count()];
                    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
                    let mut hash = [0; 32];
                    loop {
                        argon2
                            .hash_password_into_with_memory(b"a long enough password", &[7; 16], &mut hash, &mut blocks)
                            .unwrap();
                        std::hint::black_box(hash);
                        if Instant::now() >= ends {
                            break;
                        }
                        done.fetch_add(1, Ordering::Relaxed);
                    }
                });
            }
        });
        println!("{}", done.into_inner());
    }
}

/// The bare handler, in a process of its own.
pub struct Bare {
    helper: Helper,
    address: SocketAddr,
}

impl Bare {
    pub fn start() -> Self {
        let mut helper = Helper::start(&["--helper".to_owned(), "http".to_owned()]);
        let address = helper.read().parse().unwrap();
        Self { helper, address }
    }

    /// A round of these requests, sent to the handler of this name for answers of this size.
    pub async fn round(&self, handler: &str, request: &[u8], size: usize, length: Duration) -> Round {
        let request = super::wire::readdressed(request, &format!("/{handler}/{size}"));
        let mut scripts: Vec<Script> = load::all(&request);
        load::round(self.address, self.helper.id(), &mut scripts, length).await
    }
}

/// Argon2 alone, in a process of its own.
pub struct RawArgon2(Helper);

impl RawArgon2 {
    pub fn start(memory_kib: u32, passes: u32, threads: usize, nice: i32) -> Self {
        let numbers = [memory_kib.to_string(), passes.to_string(), threads.to_string(), nice.to_string()];
        let arguments: Vec<String> = ["--helper".to_owned(), "argon2".to_owned()].into_iter().chain(numbers).collect();
        Self(Helper::start(&arguments))
    }

    pub fn round(&mut self, length: Duration) -> Round {
        let cpu = process::cpu(self.0.id());
        let done: f64 = self.0.ask(&length.as_millis().to_string()).parse().unwrap();
        let cpu = process::cpu(self.0.id()) - cpu;
        Round { rate: done / length.as_secs_f64(), cpu_us: cpu.as_secs_f64() * 1e6 / done, busy: 0 }
    }
}
