//! Device claims: no text in any field makes the check panic, and nothing that was not signed for this challenge is
//! accepted. The fields of the input are separated by tabs, so that seeds and findings can be read.
#![no_main]

use gateway_domain::devices::identity::{Claim, Terms, of_public_key, verify};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let mut fields = text.split('\t');
    let mut next = || fields.next().unwrap_or_default();
    let (id, public_key, signature, signed_at) = (next(), next(), next(), next());
    let (nonce, role, token, locality) = (next(), next(), next(), next());
    let claim = Claim {
        id,
        public_key,
        signature,
        signed_at: signed_at.parse().unwrap_or(1_769_500_000_000),
        nonce: (!nonce.is_empty()).then_some(nonce),
    };
    let scopes = ["operator.admin", "operator.approvals", "operator.pairing"].map(str::to_owned);
    let terms = Terms {
        client_id: "cli",
        client_mode: "cli",
        role,
        scopes: &scopes,
        token: (!token.is_empty()).then_some(token),
        // No seed was signed for it, and nobody can sign for it without a key.
        challenge: "00000000-0000-4000-8000-000000000000",
        is_local: locality == "local",
        now: 1_769_500_000_000,
    };
    let _ = of_public_key(public_key);
    let accepted = verify(&claim, &terms).is_ok();
    assert!(
        !accepted || (terms.is_local && nonce.trim().is_empty()),
        "only the first form needs no challenge"
    );
});
