//! Reading password hashes: our own Argon2id strings and what other systems left behind.
//!
//! A stored hash decides how much work a login makes, and imported ones come from outside; so
//! every cost has a cap, and what exceeds it is refused when it is imported, not when somebody
//! signs in.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};

/// Padding and trailing bits as lenient as the systems that wrote the hashes.
const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_allow_trailing_bits(true)
    .with_decode_padding_mode(DecodePaddingMode::Indifferent);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LENIENT);
const BCRYPT: GeneralPurpose = GeneralPurpose::new(&alphabet::BCRYPT, LENIENT);

const MAX_TEXT_BYTES: usize = 512;
const MAX_MEMORY_KIB: u32 = 256 * 1024;
const MAX_ARGON2_PASSES: u32 = 20;
/// Memory times passes: two GiB written, some two seconds.
const MAX_ARGON2_WORK_KIB: u64 = 2 * 1024 * 1024;
const MAX_LANES: u32 = 16;
const MAX_BCRYPT_COST: u32 = 15;
/// N·r·p; the usual 2^17·8·1 is a quarter of it.
const MAX_SCRYPT_WORK: u64 = 1 << 22;
const MAX_PBKDF2_ITERATIONS: u32 = 2_000_000;

/// The scheme of a stored password hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum HashScheme {
    /// Argon2id (RFC 9106): what gatehouse itself writes.
    Argon2id,
    /// Argon2i (RFC 9106).
    Argon2i,
    /// Argon2d (RFC 9106).
    Argon2d,
    /// bcrypt: `$2a$`, `$2b$`, `$2y$`.
    Bcrypt,
    /// scrypt (RFC 7914) as a PHC string.
    Scrypt,
    /// PBKDF2-HMAC-SHA1 (RFC 8018 §5.2).
    Pbkdf2Sha1,
    /// PBKDF2-HMAC-SHA256.
    Pbkdf2Sha256,
    /// PBKDF2-HMAC-SHA512.
    Pbkdf2Sha512,
}

impl HashScheme {
    /// What kind of hash this text is; an error means that nobody could ever sign in with it. Made
    /// for the moment of import.
    ///
    /// # Errors
    /// Why it can't be used.
    pub fn recognise(text: &str) -> Result<Self, UnusableHash> {
        StoredHash::parse(text).map(|stored| stored.scheme)
    }
}

/// Why a stored hash can't be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnusableHash {
    /// None of the known schemes.
    #[error("is not a password hash of a known scheme")]
    UnknownScheme,
    /// A known scheme, but not its form.
    #[error("is a malformed password hash")]
    Malformed,
    /// Verifying it would take more time or memory than one login may.
    #[error("is a password hash of excessive cost")]
    TooCostly,
}

use UnusableHash::{Malformed, TooCostly, UnknownScheme};

/// A stored hash, parsed; its costs are within bounds.
pub(super) struct StoredHash {
    pub(super) scheme: HashScheme,
    pub(super) work: Work,
    pub(super) salt: Vec<u8>,
    pub(super) hash: Vec<u8>,
}

/// The parameters of a scheme.
#[derive(Clone, Copy)]
pub(super) enum Work {
    Argon2 { algorithm: argon2::Algorithm, version: argon2::Version, memory_kib: u32, iterations: u32, lanes: u32 },
    Bcrypt { cost: u32 },
    Scrypt { log_n: u8, r: u32, p: u32 },
    Pbkdf2 { algorithm: aws_lc_rs::pbkdf2::Algorithm, iterations: std::num::NonZeroU32 },
}

impl StoredHash {
    pub(super) fn parse(text: &str) -> Result<Self, UnusableHash> {
        if text.len() > MAX_TEXT_BYTES || !text.is_ascii() {
            return Err(UnknownScheme);
        }
        let Some(fields) = text.strip_prefix('$') else {
            return django(text);
        };
        let (name, rest) = fields.split_once('$').ok_or(UnknownScheme)?;
        match name {
            "argon2id" => argon2(HashScheme::Argon2id, argon2::Algorithm::Argon2id, rest),
            "argon2i" => argon2(HashScheme::Argon2i, argon2::Algorithm::Argon2i, rest),
            "argon2d" => argon2(HashScheme::Argon2d, argon2::Algorithm::Argon2d, rest),
            "2a" | "2b" | "2y" => bcrypt(rest),
            "scrypt" => scrypt(rest),
            "pbkdf2" => pbkdf2(HashScheme::Pbkdf2Sha1, rest),
            "pbkdf2-sha256" => pbkdf2(HashScheme::Pbkdf2Sha256, rest),
            "pbkdf2-sha512" => pbkdf2(HashScheme::Pbkdf2Sha512, rest),
            _ => Err(UnknownScheme),
        }
    }

    /// The common end of every parser: salt and hash must be of sensible length. Fewer than 128
    /// bits of hash could be met by chance; more than 512 only multiply PBKDF2's work.
    fn new(scheme: HashScheme, work: Work, salt: Vec<u8>, hash: Vec<u8>) -> Result<Self, UnusableHash> {
        if salt.len() > 128 || !(16..=64).contains(&hash.len()) {
            return Err(Malformed);
        }
        Ok(Self { scheme, work, salt, hash })
    }
}

/// `[v=19$]m=…,t=…,p=…$salt$hash`; without `v` it is the version before RFC 9106.
fn argon2(scheme: HashScheme, algorithm: argon2::Algorithm, rest: &str) -> Result<StoredHash, UnusableHash> {
    let (version, rest) = match rest.strip_prefix("v=") {
        Some(rest) => rest.split_once('$').ok_or(Malformed)?,
        None => ("16", rest),
    };
    let version = match version {
        "19" => argon2::Version::V0x13,
        "16" => argon2::Version::V0x10,
        _ => return Err(Malformed),
    };
    let [parameters, salt, hash] = fields(rest)?;
    let [memory_kib, iterations, lanes] = numbers(parameters, ["m", "t", "p"])?;
    if memory_kib > MAX_MEMORY_KIB
        || iterations > MAX_ARGON2_PASSES
        || lanes > MAX_LANES
        || u64::from(memory_kib) * u64::from(iterations) > MAX_ARGON2_WORK_KIB
    {
        return Err(TooCostly);
    }
    let salt = standard(salt)?;
    if argon2::Params::new(memory_kib, iterations, lanes, None).is_err() || salt.len() < argon2::MIN_SALT_LEN {
        return Err(Malformed);
    }
    let work = Work::Argon2 { algorithm, version, memory_kib, iterations, lanes };
    StoredHash::new(scheme, work, salt, standard(hash)?)
}

/// `cost$` and 22 characters of salt with 31 of hash.
fn bcrypt(rest: &str) -> Result<StoredHash, UnusableHash> {
    let [cost, text] = fields(rest)?;
    let cost = if cost.len() == 2 { number(cost)? } else { return Err(Malformed) };
    let (salt, hash) = text.split_at_checked(22).ok_or(Malformed)?;
    if cost < 4 || hash.len() != 31 {
        return Err(Malformed);
    }
    if cost > MAX_BCRYPT_COST {
        return Err(TooCostly);
    }
    // The last character of the salt and of the hash carry spare bits, which some writers fill.
    let decode = |text: &str| BCRYPT.decode(text).map_err(|_| Malformed);
    StoredHash::new(HashScheme::Bcrypt, Work::Bcrypt { cost }, decode(salt)?, decode(hash)?)
}

/// `ln=…,r=…,p=…$salt$hash`.
fn scrypt(rest: &str) -> Result<StoredHash, UnusableHash> {
    let [parameters, salt, hash] = fields(rest)?;
    let [log_n, r, p] = numbers(parameters, ["ln", "r", "p"])?;
    if log_n == 0 || r == 0 || p == 0 {
        return Err(Malformed);
    }
    if log_n > 20 || r > 64 || p > 64 {
        return Err(TooCostly);
    }
    let blocks = (1_u64 << log_n) * u64::from(r);
    if blocks * u64::from(p) > MAX_SCRYPT_WORK || blocks / 8 > u64::from(MAX_MEMORY_KIB) {
        return Err(TooCostly);
    }
    let log_n = u8::try_from(log_n).map_err(|_| Malformed)?;
    StoredHash::new(HashScheme::Scrypt, Work::Scrypt { log_n, r, p }, standard(salt)?, standard(hash)?)
}

/// PHC's `i=…[,l=…]$salt$hash` and passlib's `iterations$salt$hash`.
fn pbkdf2(scheme: HashScheme, rest: &str) -> Result<StoredHash, UnusableHash> {
    let [parameters, salt, hash] = fields(rest)?;
    let hash = standard(hash)?;
    let iterations = if !parameters.contains('=') {
        number(parameters)?
    } else if parameters.contains(',') {
        let [iterations, length] = numbers(parameters, ["i", "l"])?;
        if usize::try_from(length) != Ok(hash.len()) {
            return Err(Malformed);
        }
        iterations
    } else {
        let [iterations] = numbers(parameters, ["i"])?;
        iterations
    };
    pbkdf2_of(scheme, iterations, standard(salt)?, hash)
}

/// Django's `pbkdf2_sha256$iterations$salt$hash`, whose salt is the text itself.
fn django(text: &str) -> Result<StoredHash, UnusableHash> {
    let (name, rest) = text.split_once('$').ok_or(UnknownScheme)?;
    let scheme = match name {
        "pbkdf2_sha256" => HashScheme::Pbkdf2Sha256,
        "pbkdf2_sha1" => HashScheme::Pbkdf2Sha1,
        _ => return Err(UnknownScheme),
    };
    let [iterations, salt, hash] = fields(rest)?;
    pbkdf2_of(scheme, number(iterations)?, salt.as_bytes().to_vec(), standard(hash)?)
}

fn pbkdf2_of(scheme: HashScheme, iterations: u32, salt: Vec<u8>, hash: Vec<u8>) -> Result<StoredHash, UnusableHash> {
    let algorithm = match scheme {
        HashScheme::Pbkdf2Sha1 => aws_lc_rs::pbkdf2::PBKDF2_HMAC_SHA1,
        HashScheme::Pbkdf2Sha512 => aws_lc_rs::pbkdf2::PBKDF2_HMAC_SHA512,
        _ => aws_lc_rs::pbkdf2::PBKDF2_HMAC_SHA256,
    };
    if iterations > MAX_PBKDF2_ITERATIONS {
        return Err(TooCostly);
    }
    let iterations = std::num::NonZeroU32::new(iterations).ok_or(Malformed)?;
    StoredHash::new(scheme, Work::Pbkdf2 { algorithm, iterations }, salt, hash)
}

/// Exactly `N` fields between dollar signs.
fn fields<const N: usize>(text: &str) -> Result<[&str; N], UnusableHash> {
    let fields: Vec<&str> = text.split('$').collect();
    fields.try_into().map_err(|_| Malformed)
}

/// Exactly the named parameters, in this order, which the PHC form prescribes.
fn numbers<const N: usize>(text: &str, names: [&str; N]) -> Result<[u32; N], UnusableHash> {
    let given = text.split(',').map(Some).chain(std::iter::repeat(None));
    if text.split(',').count() != N {
        return Err(Malformed);
    }
    let mut values = [0; N];
    for ((value, name), given) in values.iter_mut().zip(names).zip(given) {
        let (given_name, text) = given.and_then(|given| given.split_once('=')).ok_or(Malformed)?;
        if given_name != name {
            return Err(Malformed);
        }
        *value = number(text)?;
    }
    Ok(values)
}

/// A plain decimal number; one that does not fit 32 bits is a cost beyond every cap.
fn number(text: &str) -> Result<u32, UnusableHash> {
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
        return Err(Malformed);
    }
    text.parse().map_err(|_| TooCostly)
}

/// Standard base64; passlib writes `.` for `+`.
fn standard(text: &str) -> Result<Vec<u8>, UnusableHash> {
    STANDARD.decode(text.replace('.', "+")).map_err(|_| Malformed)
}
