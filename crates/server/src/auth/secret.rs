//! Passwords and PINs: what is good enough, and how they are kept.
//!
//! Argon2id with 19 MiB, two passes, one lane: the OWASP Password Storage Cheat Sheet's minimum.

use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version};

const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// Shortest password; OWASP ASVS 6.2.1 asks for 8 and advises 15, we have no second factor yet.
pub const PASSWORD_CHARS_MIN: usize = 12;
/// Longest password that is hashed; a longer one would only burn time.
pub const PASSWORD_CHARS_MAX: usize = 128;
/// Fewest digits of a PIN.
pub const PIN_DIGITS_MIN: usize = 6;
/// Most digits of a PIN.
pub const PIN_DIGITS_MAX: usize = 12;

/// Why a new password or PIN is not taken. Never repeats the secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Weak {
    /// Too short.
    #[error("The password has {given} characters. It needs at least {PASSWORD_CHARS_MIN}.")]
    PasswordShort {
        /// Characters given.
        given: usize,
    },
    /// Too long.
    #[error("The password has {given} characters. It may have at most {PASSWORD_CHARS_MAX}.")]
    PasswordLong {
        /// Characters given.
        given: usize,
    },
    /// Guessed first.
    #[error("The password must not contain the user name or be one character repeated.")]
    PasswordGuessable,
    /// Not digits, or the wrong number of them.
    #[error("A PIN has {PIN_DIGITS_MIN} to {PIN_DIGITS_MAX} digits and nothing else.")]
    PinShape,
    /// 111111, 123456 and their like.
    #[error("The PIN must not be one digit repeated or digits in a row.")]
    PinGuessable,
}

/// The machine could not hash: out of memory, or a stored hash that is not one.
#[derive(Debug, thiserror::Error)]
#[error("a password hash could not be made or read: {0}")]
pub struct HashFault(String);

/// Accepts a new password for the account `user_name`, or says why not.
///
/// # Errors
/// [`Weak`] with the rule it breaks.
pub fn check_password(password: &str, user_name: &str) -> Result<(), Weak> {
    let given = password.chars().count();
    if given < PASSWORD_CHARS_MIN {
        return Err(Weak::PasswordShort { given });
    }
    if given > PASSWORD_CHARS_MAX {
        return Err(Weak::PasswordLong { given });
    }
    let lower = password.to_lowercase();
    let first = lower.chars().next();
    if lower.contains(&user_name.to_lowercase()) || lower.chars().all(|next| Some(next) == first) {
        return Err(Weak::PasswordGuessable);
    }
    Ok(())
}

/// Accepts a new PIN, or says why not.
///
/// # Errors
/// [`Weak`] with the rule it breaks.
pub fn check_pin(pin: &str) -> Result<(), Weak> {
    let digits = pin.as_bytes();
    if !(PIN_DIGITS_MIN..=PIN_DIGITS_MAX).contains(&digits.len()) || !digits.iter().all(u8::is_ascii_digit) {
        return Err(Weak::PinShape);
    }
    let steps = || digits.iter().zip(digits.iter().skip(1)).map(|(a, b)| i16::from(*b) - i16::from(*a));
    if [-1, 0, 1].into_iter().any(|step| steps().all(|taken| taken == step)) {
        return Err(Weak::PinGuessable);
    }
    Ok(())
}

fn argon2() -> Result<Argon2<'static>, HashFault> {
    let params =
        Params::new(MEMORY_KIB, PASSES, LANES, None).map_err(|cause| HashFault(cause.to_string()))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

/// Hashes a secret into the text that goes to the log.
///
/// # Errors
/// [`HashFault`] when the machine cannot.
pub fn hash(secret: &str, salt: &[u8; 16]) -> Result<String, HashFault> {
    let hash: PasswordHash = argon2()?
        .hash_password_with_salt(secret.as_bytes(), salt)
        .map_err(|cause| HashFault(cause.to_string()))?;
    Ok(hash.to_string())
}

/// Whether `secret` is the one behind `stored`. With nothing stored it does the same work and says no, so that
/// the time taken does not tell which user names exist.
///
/// # Errors
/// [`HashFault`] when the stored text is not a hash.
pub fn matches(secret: &str, stored: Option<&str>) -> Result<bool, HashFault> {
    if secret.chars().count() > PASSWORD_CHARS_MAX {
        return Ok(false);
    }
    let Some(stored) = stored else {
        hash(secret, b"nobody's account")?;
        return Ok(false);
    };
    let stored = PasswordHash::new(stored).map_err(|cause| HashFault(cause.to_string()))?;
    Ok(argon2()?.verify_password(secret.as_bytes(), &stored).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_argon2id_at_the_stated_cost_and_knows_its_secret() {
        let stored = hash("correct horse battery", b"0123456789abcdef").expect("hash");
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{stored}");
        assert!(matches("correct horse battery", Some(&stored)).expect("verify"));
        assert!(!matches("correct horse batterz", Some(&stored)).expect("verify"));
        assert!(!matches("correct horse battery", None).expect("verify"));
        assert!(matches("anything at all", Some("not a hash")).is_err());
    }

    #[test]
    fn weak_passwords_are_refused_with_the_rule() {
        assert_eq!(check_password("short", "kim"), Err(Weak::PasswordShort { given: 5 }));
        assert_eq!(check_password(&"ab".repeat(65), "kim"), Err(Weak::PasswordLong { given: 130 }));
        assert_eq!(check_password("my name is Kim!", "kim"), Err(Weak::PasswordGuessable));
        assert_eq!(check_password("aaaaaaaaaaaaaa", "kim"), Err(Weak::PasswordGuessable));
        assert_eq!(check_password("correct horse battery", "kim"), Ok(()));
    }

    #[test]
    fn weak_pins_are_refused_with_the_rule() {
        for shape in ["", "12345", "1234567890123", "12345a", "１２３４５６"] {
            assert_eq!(check_pin(shape), Err(Weak::PinShape), "{shape}");
        }
        for easy in ["123456", "654321", "777777"] {
            assert_eq!(check_pin(easy), Err(Weak::PinGuessable), "{easy}");
        }
        assert_eq!(check_pin("270415"), Ok(()));
    }
}
