//! Device claims: no text in any field makes the check panic, and nothing unsigned is accepted.
#![no_main]

use gateway_domain::devices::identity::{Claim, Terms, of_public_key, verify};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|fields: (&str, &str, &str, i64, Option<&str>, &str, bool)| {
    let (id, public_key, signature, signed_at, nonce, role, is_local) = fields;
    let claim = Claim { id, public_key, signature, signed_at, nonce };
    let terms = Terms {
        client_id: "cli",
        client_mode: "cli",
        role,
        scopes: &[],
        token: nonce,
        challenge: "6f1e2d3c-0000-4000-8000-000000000001",
        is_local,
        now: 1_769_500_000_000,
    };
    let _ = of_public_key(public_key);
    assert!(verify(&claim, &terms).is_err());
});
