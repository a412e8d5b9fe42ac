//! The commands that set a gateway up. Words that the original checks by itself stay text here, so that they are refused
//! in its words and with its exit code.

use std::path::PathBuf;

use clap::Args;
use gateway_base::secret::Secret;

use super::options::{millis, secret};

/// Options of `onboard`.
#[derive(Debug, Args)]
#[command(after_help = "\
Asks its questions with arrow keys on a terminal, and as numbered lines with --plain or with
TERM=dumb. Run again, it changes only what is answered differently; the rest stays as it is.
Secrets are safer outside of the command line: in the variable of the provider, such as
ANTHROPIC_API_KEY, in CLAWDBOT_GATEWAY_TOKEN, or in a file that --key-file and its like name.
Exit codes: 0 done, or cancelled; 1 failed, or no healthy gateway at the end; 2 the command
line is wrong; 78 the configuration file is broken.

Examples:
  gatewayctl onboard
  gatewayctl onboard --non-interactive --accept-risk --auth-choice apiKey --install-daemon
  gatewayctl onboard --non-interactive --accept-risk --gateway-bind lan --skip-health --json
  gatewayctl onboard --mode remote --remote-url wss://studio:18789")]
pub struct OnboardArgs {
    /// The assistant's folder [default: ~/clawd].
    #[arg(long, value_name = "DIR")]
    pub workspace: Option<String>,
    /// Move configuration, credentials, sessions and workspace to the trash first.
    #[arg(long)]
    pub reset: bool,
    /// Ask nothing; needs --accept-risk.
    #[arg(long)]
    pub non_interactive: bool,
    /// The assistant may run commands and use tools; that is understood.
    #[arg(long)]
    pub accept_risk: bool,
    /// How much is asked: quickstart, advanced or manual.
    #[arg(long, value_name = "FLOW")]
    pub flow: Option<String>,
    /// A gateway here or elsewhere: local or remote.
    #[arg(long, value_name = "MODE")]
    pub mode: Option<String>,
    /// How the model is paid for: apiKey, token, openai-api-key, openrouter-api-key, gemini-api-key, skip, ...
    #[arg(long, value_name = "CHOICE")]
    pub auth_choice: Option<String>,
    /// Keys of model providers.
    #[command(flatten)]
    pub keys: KeyArgs,
    /// The gateway.
    #[command(flatten)]
    pub gateway: GatewayArgs,
    /// The remote gateway's address, such as wss://host:18789.
    #[arg(long, value_name = "URL")]
    pub remote_url: Option<String>,
    /// The remote gateway's token.
    #[arg(long, value_name = "TOKEN", value_parser = secret)]
    pub remote_token: Option<Secret>,
    /// Install the service and start it.
    #[arg(long)]
    pub install_daemon: bool,
    /// Leave the service alone.
    #[arg(long, alias = "skip-daemon")]
    pub no_install_daemon: bool,
    /// Accepted for older scripts: node or bun; there is no runtime to choose.
    #[arg(long, value_name = "NAME", hide = true)]
    pub daemon_runtime: Option<String>,
    /// Store the key without asking its provider about it.
    #[arg(long)]
    pub skip_key_check: bool,
    /// Do not wait for a healthy gateway.
    #[arg(long)]
    pub skip_health: bool,
    /// How long to wait for a healthy gateway, in milliseconds.
    #[arg(long, value_name = "MS", default_value = "15000", value_parser = millis)]
    pub health_wait: std::time::Duration,
    /// Accepted; channels are not set up here yet.
    #[arg(long, alias = "skip-providers")]
    pub skip_channels: bool,
    /// Accepted; skills are not set up here yet.
    #[arg(long)]
    pub skip_skills: bool,
    /// Leave out the link with its token and its QR code.
    #[arg(long, alias = "no-link")]
    pub skip_ui: bool,
    /// Leave out the QR code.
    #[arg(long)]
    pub no_qr: bool,
    /// The package manager of skills that need Node: npm, pnpm or bun.
    #[arg(long, value_name = "NAME")]
    pub node_manager: Option<String>,
    /// Ask with numbered lines instead of arrow keys; reads standard input, whatever that is.
    #[arg(long)]
    pub plain: bool,
    /// Print one JSON document and nothing else; needs --non-interactive.
    #[arg(long)]
    pub json: bool,
}

/// Keys, one flag for each provider.
#[derive(Debug, Args)]
pub struct KeyArgs {
    /// A file with the key of --auth-choice; - is standard input.
    #[arg(long, value_name = "FILE")]
    pub key_file: Option<PathBuf>,
    /// For --auth-choice token: anthropic.
    #[arg(long, value_name = "ID")]
    pub token_provider: Option<String>,
    /// For --auth-choice token: the setup-token.
    #[arg(long, value_name = "TOKEN", value_parser = secret)]
    pub token: Option<Secret>,
    /// For --auth-choice token: the profile to store it in [default: anthropic:default].
    #[arg(long, value_name = "ID")]
    pub token_profile_id: Option<String>,
    /// For --auth-choice token: how long it is good for, such as 365d or 12h.
    #[arg(long, value_name = "TIME")]
    pub token_expires_in: Option<String>,
    /// Anthropic's key.
    #[arg(long, value_name = "KEY", value_parser = secret)]
    pub anthropic_api_key: Option<Secret>,
    /// OpenAI's key.
    #[arg(long, value_name = "KEY", value_parser = secret)]
    pub openai_api_key: Option<Secret>,
    /// OpenRouter's key.
    #[arg(long, value_name = "KEY", value_parser = secret)]
    pub openrouter_api_key: Option<Secret>,
    /// The key of Vercel's AI Gateway.
    #[arg(long, value_name = "KEY", value_parser = secret)]
    pub ai_gateway_api_key: Option<Secret>,
    /// Moonshot's key.
    #[arg(long, value_name = "KEY", value_parser = secret)]
    pub moonshot_api_key: Option<Secret>,
    /// The key of Kimi Code.
    #[arg(long, value_name = "KEY", value_parser = secret)]
    pub kimi_code_api_key: Option<Secret>,
    /// The key of Google's Gemini.
    #[arg(long, value_name = "KEY", value_parser = secret)]
    pub gemini_api_key: Option<Secret>,
    /// The key of Z.AI.
    #[arg(long, value_name = "KEY", value_parser = secret)]
    pub zai_api_key: Option<Secret>,
    /// MiniMax's key.
    #[arg(long, value_name = "KEY", value_parser = secret)]
    pub minimax_api_key: Option<Secret>,
    /// Synthetic's key.
    #[arg(long, value_name = "KEY", value_parser = secret)]
    pub synthetic_api_key: Option<Secret>,
    /// The key of OpenCode Zen.
    #[arg(long, value_name = "KEY", value_parser = secret)]
    pub opencode_zen_api_key: Option<Secret>,
}

impl KeyArgs {
    /// What a flag carries.
    #[must_use]
    pub fn of(&self, flag: &str) -> Option<&Secret> {
        match flag {
            "--token" => self.token.as_ref(),
            "--anthropic-api-key" => self.anthropic_api_key.as_ref(),
            "--openai-api-key" => self.openai_api_key.as_ref(),
            "--openrouter-api-key" => self.openrouter_api_key.as_ref(),
            "--ai-gateway-api-key" => self.ai_gateway_api_key.as_ref(),
            "--moonshot-api-key" => self.moonshot_api_key.as_ref(),
            "--kimi-code-api-key" => self.kimi_code_api_key.as_ref(),
            "--gemini-api-key" => self.gemini_api_key.as_ref(),
            "--zai-api-key" => self.zai_api_key.as_ref(),
            "--minimax-api-key" => self.minimax_api_key.as_ref(),
            "--synthetic-api-key" => self.synthetic_api_key.as_ref(),
            "--opencode-zen-api-key" => self.opencode_zen_api_key.as_ref(),
            _ => None,
        }
    }
}

/// How the gateway is reached.
#[derive(Debug, Args)]
pub struct GatewayArgs {
    /// The port [default: what the configuration says, or 18789].
    #[arg(long, value_name = "PORT")]
    pub gateway_port: Option<String>,
    /// Where to listen: loopback, tailnet, lan, auto, custom, or an IPv4 address.
    #[arg(long, value_name = "MODE")]
    pub gateway_bind: Option<String>,
    /// How clients prove that they may connect: off, token or password.
    #[arg(long, value_name = "MODE")]
    pub gateway_auth: Option<String>,
    /// The token [default: the present one, or a new one].
    #[arg(long, value_name = "TOKEN", value_parser = secret)]
    pub gateway_token: Option<Secret>,
    /// A file with the token; - is standard input.
    #[arg(long, value_name = "FILE", conflicts_with = "gateway_token")]
    pub gateway_token_file: Option<PathBuf>,
    /// The password.
    #[arg(long, value_name = "PASSWORD", value_parser = secret)]
    pub gateway_password: Option<Secret>,
    /// A file with the password; - is standard input.
    #[arg(long, value_name = "FILE", conflicts_with = "gateway_password")]
    pub gateway_password_file: Option<PathBuf>,
    /// Publish through Tailscale: off, serve or funnel.
    #[arg(long, value_name = "MODE")]
    pub tailscale: Option<String>,
    /// Take Tailscale's settings back at the end.
    #[arg(long)]
    pub tailscale_reset_on_exit: bool,
}

/// Options of `setup`.
#[derive(Debug, Args)]
#[command(
    after_help = "Asks nothing: for the questions, run onboard.\nExit codes: 0 done, or all was there; 1 failed; 78 the file is broken.\n\nExamples:\n  gatewayctl setup\n  gatewayctl setup --workspace ~/assistant"
)]
pub struct SetupArgs {
    /// The assistant's folder [default: ~/clawd].
    #[arg(long, value_name = "DIR")]
    pub workspace: Option<String>,
    /// Print one JSON document and nothing else.
    #[arg(long)]
    pub json: bool,
}

/// Options of `dashboard`.
#[derive(Debug, Args)]
#[command(after_help = "\
The link carries the token: whoever has it can do everything. A QR code is shown with --qr only.

Exit codes: 0 done; 1 failed, or the gateway is on another machine.

Examples:
  gatewayctl dashboard
  gatewayctl dashboard --no-open
  gatewayctl dashboard --no-open --qr     for a phone in the same network")]
pub struct DashboardArgs {
    /// Do not start a browser.
    #[arg(long)]
    pub no_open: bool,
    /// Show the link as a QR code too.
    #[arg(long)]
    pub qr: bool,
    /// Print one JSON document, without the token, and nothing else.
    #[arg(long)]
    pub json: bool,
}
