//! `logs.tail` (ws-protocol 5.13).

use gateway_wire::types::logs::LogsTailParams;

use crate::registry::{Call, Function, Work, json, later};

pub(super) const BINDINGS: &[(&str, Function)] = &[("logs.tail", tail)];

const LIMIT: u64 = 500;
const MAX_BYTES: u64 = 250_000;

fn tail(call: Call<'_>) -> Work {
    let params: LogsTailParams = match call.params() {
        Ok(params) => params,
        Err(error) => return Work::Done(Err(error)),
    };
    let (reader, file) = (call.cx.logs.clone(), call.cx.about.log_file.load_full());
    later(async move {
        let read = tokio::task::spawn_blocking(move || {
            let limit = usize::try_from(params.limit.unwrap_or(LIMIT)).unwrap_or(usize::MAX);
            reader.tail(&file, params.cursor, limit, params.max_bytes.unwrap_or(MAX_BYTES))
        });
        let failed = |error: &dyn std::fmt::Display| {
            gateway_wire::error::ErrorShape::unavailable(format!("log read failed: {error}"))
        };
        let read = read.await.map_err(|e| failed(&e))?;
        json(&read.map_err(|e| failed(&e))?)
    })
}
