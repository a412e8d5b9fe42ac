//! The admin service over its local socket, through the contract crate that the controller uses too.

use std::path::Path;

use anyhow::{Result, bail};
use gateway_admin::connect::{ConnectOptions, connect};
use gateway_admin::endpoint::Endpoint;
use gateway_admin::v1;
use gateway_admin::v1::admin_client::AdminClient;
use serde_json::Value;
use tonic::transport::Channel;

use crate::wait::within;

/// A connected admin client.
#[derive(Clone, Debug)]
pub struct Admin {
    /// The generated client, for everything that has no shortcut here.
    pub client: AdminClient<Channel>,
}

impl Admin {
    /// Connects to the daemon of this state folder.
    pub async fn connect(state: &Path) -> Result<Self> {
        let channel = connect(&Endpoint::find(state), ConnectOptions::default()).await?;
        Ok(Self { client: AdminClient::new(channel) })
    }

    /// `Status`.
    pub async fn status(&mut self) -> Result<v1::StatusResponse> {
        Ok(within("Status", self.client.status(v1::StatusRequest {})).await??.into_inner())
    }

    /// `Health`.
    pub async fn health(&mut self) -> Result<v1::HealthResponse> {
        Ok(within("Health", self.client.health(v1::HealthRequest {})).await??.into_inner())
    }

    /// `Call`: the result, or the method's refusal as an error.
    pub async fn call(&mut self, method: &str, params: &Value) -> Result<Value> {
        let (method, params_json) = (method.to_owned(), params.to_string());
        let request = v1::CallRequest { method, params_json, expect_final: false };
        let answer = within("Call", self.client.call(request)).await??.into_inner();
        if let Some(error) = answer.error {
            bail!("{}: {}", error.code, error.message);
        }
        if answer.payload_json.is_empty() {
            Ok(Value::Null)
        } else {
            Ok(serde_json::from_str(&answer.payload_json)?)
        }
    }
}
