//! The order in which the parts are built, and the reason for it: the admin socket first, because it proves that nobody
//! else is here and lets a controller watch; then the store and what is made of it; the listeners, bound long ago, are
//! served last, so that "connected" means "usable".

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use gateway_adapters::store::{self, Opened, Store, StoreOptions};
use gateway_adapters::tailscale::Tailscale;
use gateway_api::Api;
use gateway_api::context::{About, Context};
use gateway_api::dispatch::Dispatcher;
use gateway_api::domain::Domain;
use gateway_api::registry::{self, Registry};
use gateway_base::error_chain::Chain;
use gateway_base::net;
use gateway_base::task::Kind;
use gateway_config::last_good;
use gateway_config::live::{Current, Live};
use gateway_domain::auth::limiter::Limiter;
use gateway_domain::auth::tailnet::Identities;
use gateway_domain::presence::Own;
use gateway_server::admin::health::{Board, Part, Phase, State};
use gateway_server::admin::{self, listen};
use gateway_server::http::Http;
use gateway_server::listen::{self as accept, Accepting};
use gateway_server::metrics;
use gateway_server::tls::{self, Tls};
use gateway_server::ws::hub::Hub;
use gateway_server::ws::preauth::{Budget, PreAuth};
use gateway_server::ws::traffic::Traffic;
use gateway_server::ws::{Depths, Limits, Outboxes, Serve};
use gateway_wire::limits::HANDSHAKE_TIMEOUT_MS;
use prometheus_client::registry::Registry as Metrics;
use tokio_util::sync::CancellationToken;

use super::access::Fixed;
use super::backend::{Admin, Parts as AdminParts};
use super::root::{LogFile, Root};
use super::{domain, sessions, sockets, stop, watch};
use crate::bind::Listener;
use crate::discovery::{self, Discovery};
use crate::exit::Exit;
use crate::handover::HandOver;
use crate::lifecycle::{self, Goal, Request, Running};
use crate::reload::{self, How, Reload, ReloadOptions};
use crate::start::{Boot, Ownership};
use crate::trial::{self, Trials, TrialsOptions};
use crate::tunnel::{self, Tunnel};
use crate::{machine, maintenance};

/// Events that may wait for the hub.
const HUB_QUEUE: usize = gateway_domain::events::HUB_QUEUE;

/// Why the parts could not be put together.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Access would not be safe.
    #[error("{0}")]
    Access(String),
    /// Another daemon answers on the admin socket.
    #[error("Gateway already running locally. Stop it (clawdbot gateway stop) or use a different port.")]
    AlreadyRunning(#[source] listen::Error),
    /// The admin socket cannot be opened.
    #[error("the admin socket cannot be opened")]
    AdminSocket(#[source] listen::Error),
    /// The store cannot be opened.
    #[error("the store cannot be opened")]
    Store(#[source] store::OpenError),
    /// TLS is asked for and cannot be had.
    #[error(transparent)]
    Tls(#[from] tls::Error),
    /// The method table and the functions do not fit together.
    #[error(transparent)]
    Registry(#[from] registry::Error),
    /// A helper thread died.
    #[error("a part could not be built: {0}")]
    Thread(String),
}

impl From<listen::Error> for Error {
    fn from(error: listen::Error) -> Self {
        match error {
            listen::Error::AlreadyRunning { .. } => Self::AlreadyRunning(error),
            error => Self::AdminSocket(error),
        }
    }
}

impl Error {
    /// The exit code that goes with it.
    #[must_use]
    pub fn exit(&self) -> Exit {
        match self {
            Self::AlreadyRunning(_) => Exit::Taken,
            Self::Access(_) | Self::Tls(_) => Exit::Refused,
            Self::AdminSocket(_) | Self::Store(_) | Self::Registry(_) | Self::Thread(_) => Exit::Failed,
        }
    }
}

/// Builds every part, in order, serves, and publishes it where that is asked for.
pub async fn serve(mut boot: Boot, next: &mut HandOver) -> Result<(Running, Option<Tunnel>), Error> {
    let board = Board::new(boot.clock.clone());
    let config = boot.loaded.snapshot.config.clone();
    let live = Live::new(Current::of(&boot.loaded.snapshot, boot.loaded.degraded()));
    let folder = own_folder(&boot);
    let admin_socket = sockets::admin(&folder, &mut boot, next).await?;
    let admin_stays = sockets::stays(&admin_socket);
    let mut numbers = Metrics::default();
    let opening = open_store(folder.join("gateway.sqlite"), &mut numbers, &boot);
    // Asked while the store is opened: the kernel takes as long to answer as a fifth of that.
    let addresses = net::interface_addresses().unwrap_or_default();
    let opened = opening.await.map_err(|error| Error::Thread(error.to_string()))?.map_err(Error::Store)?;
    let (store, store_note) = (opened.store, opened.moved_aside);
    let tls = load_tls(&config)?;
    let fixed = fixed(&boot, &addresses);
    let access = fixed.access(&config).map_err(Error::Access)?;
    let own = machine::own(&boot.env, &addresses);
    let about = about(&boot, &config, &own);
    let (clock, tasks, names_count) = (&boot.clock, &boot.tasks, access.allow_tailscale);
    let domain = domain::build(domain::Ingredients {
        store: &store,
        live: &live,
        paths: &boot.paths,
        clock,
        own,
        tasks,
    })
    .await;
    let hub_metrics = hub_metrics(&mut numbers);
    let traffic = Arc::new(Traffic::new(boot.args.traffic()));
    let events = domain.bus.subscribe(HUB_QUEUE);
    let hub = Hub::start(events, shards(), hub_metrics.clone(), traffic.clone(), &boot.tasks);
    let root = Arc::new(Root::default());
    let tailscale = Tailscale::new(&boot.env);
    let cx = context(&boot, &live, access, about, &domain, &root, &tailscale);
    let reload = start_reload(&boot, &live, fixed, &cx, &hub);
    // Methods can only be called after the listeners are served below.
    root.serve(reload.clone());
    let trials = start_trials(&boot, &live, &reload, &board);
    let api = build_api(&cx, &mut numbers)?;
    let serve = Arc::new(serving(&boot, &api, &hub, &hub_metrics, traffic));
    let (http, depths) = web(serve, numbers, &board);
    let (closing, preauth) = (http.serve.closing.clone(), http.preauth.clone());
    let (accepting, watching, admin_stop, admin_ended) = Default::default();
    start_ticks(&domain, &boot);
    let publish = tunnel::Options::of(&boot, &tailscale, tls.is_some(), names_count, &board);
    let found = discovery::Options::of(&boot, config.discovery, tls.as_ref(), &addresses, &tailscale);
    let urls = listen_all(boot.listeners, tls.as_ref(), &http, &accepting, &boot.tasks);
    let tunnel = publish.map(|options| Tunnel::start(options, &boot.tasks));
    let discovery = found.and_then(|options| Discovery::start(options, &boot.tasks));
    let resets = tunnel.clone().filter(|_| boot.exposure.reset_on_exit);
    watch::store(&store, moved_aside(store_note.as_ref()), &domain.devices, &board, &boot.tasks);
    watch::config(&live, &board, &boot.tasks);
    watch::log(boot.log.trouble(), &board, &boot.tasks);
    watch::problems(&board, &domain, &boot.tasks);
    sessions::follow_revocations(&domain, &hub, &boot.tasks);
    note_parts(&board);
    keep_last_good(&boot.paths, boot.loaded).await;
    let backend = Admin::new(AdminParts {
        api,
        metrics: hub_metrics,
        depths,
        live,
        reload: reload.clone(),
        trials,
        lifecycle: boot.lifecycle,
        store: store.clone(),
        store_file: folder.join("gateway.sqlite"),
        store_note,
        urls,
        fingerprint: tls.map(|tls| tls.fingerprint).unwrap_or_default(),
        bind: boot.bind,
        is_dev: boot.is_dev,
        env: boot.env,
        program: boot.program,
        tasks: boot.tasks.clone(),
        steps: stop::steps(discovery.is_some(), resets.is_some()),
        watching: CancellationToken::clone(&watching),
    });
    start_admin(admin_socket, backend, &board, &admin_stop, &admin_ended, &boot.tasks);
    board.enter(Phase::Serving);
    let parts = stop::Parts {
        board,
        domain,
        hub,
        store,
        tasks: boot.tasks,
        discovery,
        tunnel: resets,
        accepting,
        closing,
        preauth,
        admin_stays,
        watching,
        admin: admin_stop,
        admin_ended,
    };
    Ok((Running { stop: stop::plan(parts), reload: on_hangup(reload) }, tunnel))
}

fn hub_metrics(numbers: &mut Metrics) -> Arc<metrics::Metrics> {
    let metrics = Arc::new(metrics::Metrics::default());
    metrics.register(numbers);
    metrics
}

fn context(
    boot: &Boot,
    live: &Live,
    access: gateway_api::context::Access,
    about: About,
    domain: &Domain,
    root: &Arc<Root>,
    tailscale: &Tailscale,
) -> Arc<Context> {
    Arc::new(Context {
        clock: boot.clock.clone(),
        env: boot.env.clone(),
        paths: boot.paths.clone(),
        config: live.clone(),
        access: ArcSwap::from_pointee(access),
        limiter: Limiter::new(boot.clock.clone()),
        identities: Identities::new(Arc::new(tailscale.clone())),
        about,
        domain: domain.clone(),
        control: root.clone(),
        logs: Arc::new(LogFile),
        features: gateway_api::connect::features(),
    })
}

fn on_hangup(reload: Reload) -> lifecycle::Reload {
    Arc::new(move || {
        let reload = reload.clone();
        Box::pin(async move {
            reload.now(How::Restart(Duration::ZERO)).await;
        })
    })
}

fn fixed(boot: &Boot, addresses: &[std::net::IpAddr]) -> Fixed {
    Fixed {
        args: boot.args.clone(),
        env: boot.env.clone(),
        exposure: boot.exposure,
        listening: boot.listeners.iter().map(|listener| listener.address).collect(),
        own_tailnet: addresses.iter().copied().filter(|ip| net::is_tailnet(*ip)).collect(),
    }
}

fn about(boot: &Boot, config: &gateway_config::Config, own: &Own) -> About {
    About {
        version: own.version.clone(),
        commit: boot.env.get("GIT_COMMIT").map(str::to_owned),
        host: own.host.clone(),
        config_path: boot.paths.config.display().to_string(),
        state_dir: boot.paths.state.display().to_string(),
        log_file: Arc::new(ArcSwap::from_pointee(config.logging.file.clone())),
        started: tokio::time::Instant::now(),
    }
}

fn serving(
    boot: &Boot,
    api: &Arc<Api>,
    hub: &Hub,
    metrics: &Arc<metrics::Metrics>,
    traffic: Arc<Traffic>,
) -> Serve {
    Serve {
        api: api.clone(),
        hub: hub.clone(),
        metrics: metrics.clone(),
        traffic,
        outboxes: Outboxes::default(),
        limits: Limits::default(),
        handshake: Duration::from_millis(HANDSHAKE_TIMEOUT_MS),
        closing: CancellationToken::new(),
        tasks: boot.tasks.clone(),
    }
}

fn web(serve: Arc<Serve>, mut numbers: Metrics, health: &Board) -> (Arc<Http>, Depths) {
    Http::register_process(&mut numbers);
    let preauth = PreAuth::new(Budget::default());
    let depths = Depths::register(&serve, &preauth, &mut numbers);
    let version = env!("CARGO_PKG_VERSION").to_owned();
    (Arc::new(Http { serve, preauth, health: health.clone(), metrics: Arc::new(numbers), version }), depths)
}

fn start_ticks(domain: &Domain, boot: &Boot) {
    let ticks = maintenance::run(domain.bus.clone(), boot.clock.clone(), boot.tasks.stopping());
    boot.tasks.spawn("ticks", Kind::Essential, ticks);
}

/// Where this instance keeps its store and its socket: the state folder, or a corner of it for a second instance.
fn own_folder(boot: &Boot) -> PathBuf {
    match boot.ownership {
        Ownership::Primary => boot.paths.state.clone(),
        Ownership::Secondary { .. } => boot.paths.state.join("instances").join(boot.port.to_string()),
    }
}

/// Opens the store on a thread of its own.
fn open_store(
    file: PathBuf,
    numbers: &mut Metrics,
    boot: &Boot,
) -> tokio::task::JoinHandle<Result<Opened, store::OpenError>> {
    let metrics = store::Metrics::default();
    metrics.register(numbers.sub_registry_with_prefix("gateway"));
    let options = StoreOptions { clock: boot.clock.clone(), metrics };
    tokio::task::spawn_blocking(move || Store::open(&file, options))
}

/// How many helpers write to a crowd beside the hub: with it two for each worker, so that all workers end together
/// and one that comes late leaves its second part to the others.
fn shards() -> usize {
    2 * tokio::runtime::Handle::current().metrics().num_workers() - 1
}

fn load_tls(config: &gateway_config::Config) -> Result<Option<Tls>, Error> {
    let wanted = &config.gateway.tls;
    if !wanted.enabled {
        return Ok(None);
    }
    let files = tls::Files {
        cert: wanted.cert_path.clone(),
        key: wanted.key_path.clone(),
        generate: wanted.auto_generate,
    };
    let tls = tls::load(&files)?;
    if tls.generated {
        let path = files.cert.display();
        tracing::info!(subsystem = "gateway/tls", "gateway tls: generated self-signed cert at {path}");
    }
    crate::print::success(&format!("tls fingerprint: sha256:{}", tls.fingerprint));
    Ok(Some(tls))
}

fn build_api(cx: &Arc<Context>, numbers: &mut Metrics) -> Result<Arc<Api>, Error> {
    let metrics = gateway_api::metrics::Metrics::default();
    metrics.register(numbers);
    let registry = Registry::build(gateway_api::methods::bindings())?;
    let dispatcher = Dispatcher::new(cx.clone(), registry, metrics);
    Ok(Arc::new(Api::new(cx.clone(), dispatcher)))
}

/// Serves every listener; returns the addresses as URLs.
fn listen_all(
    listeners: Vec<Listener>,
    tls: Option<&Tls>,
    http: &Arc<Http>,
    accepting: &Accepting,
    tasks: &gateway_base::task::Tasks,
) -> Vec<String> {
    let scheme = if tls.is_some() { "wss" } else { "ws" };
    let mut urls = Vec::new();
    for Listener { address, socket, .. } in listeners {
        urls.push(format!("{scheme}://{}:{}", net::url_host(address.ip()), address.port()));
        let serving = accept::run(socket, tls.cloned(), http.clone(), accepting.turn());
        tasks.spawn_fallible("listener", Kind::Essential, serving);
    }
    urls
}

/// The parts that need no watching yet.
fn note_parts(board: &Board) {
    board.set(Part::Listener, State::Serving, "");
    for part in [Part::Channels, Part::Cron, Part::Nodes, Part::Memory] {
        board.set(part, State::Disabled, "not built in this version");
    }
}

/// What health says about a store that was found damaged.
fn moved_aside(path: Option<&PathBuf>) -> String {
    path.map(|path| format!("a damaged store was moved aside to {}", path.display())).unwrap_or_default()
}

/// Keeps the configuration that the daemon runs on. Only the first start after a change writes.
async fn keep_last_good(paths: &gateway_base::paths::Paths, loaded: crate::start::Loaded) {
    if loaded.bad.is_some() {
        return;
    }
    let (paths, snapshot) = (paths.clone(), loaded.snapshot);
    let saved = tokio::task::spawn_blocking(move || last_good::save(&paths, &snapshot)).await;
    if let Ok(Err(error)) = saved {
        tracing::warn!(subsystem = "gateway/reload", %error, "the last good config could not be kept");
    }
}

fn start_admin(
    listener: listen::Listener,
    backend: Arc<Admin>,
    board: &Board,
    stop: &CancellationToken,
    ended: &CancellationToken,
    tasks: &gateway_base::task::Tasks,
) {
    let server = admin::Server { listener, backend, health: board.clone(), limits: admin::Limits::default() };
    let (stop, ended) = (stop.clone(), ended.clone());
    tasks.spawn("admin", Kind::Essential, async move {
        if let Err(error) = server.run(stop).await {
            tracing::error!(subsystem = "admin", "{}", Chain(&error));
        }
        ended.cancel();
    });
}

fn start_reload(boot: &Boot, live: &Live, fixed: Fixed, cx: &Arc<Context>, hub: &Hub) -> Reload {
    let (cx, hub, log, lifecycle) = (cx.clone(), hub.clone(), boot.log.clone(), boot.lifecycle.clone());
    let tasks = boot.tasks.clone();
    lifecycle.allow_restarts(live.config().commands.restart);
    let on_restart = lifecycle.clone();
    let (reload, owner) = reload::new(ReloadOptions {
        live: live.clone(),
        paths: boot.paths.clone(),
        env: boot.env.clone(),
        clock: boot.clock.clone(),
        apply: Box::new(move |config| {
            let access = fixed.access(config)?;
            log.configure(&config.logging);
            cx.about.log_file.store(Arc::new(config.logging.file.clone()));
            lifecycle.allow_restarts(config.commands.restart);
            let before = cx.access.swap(Arc::new(access));
            let after = cx.access.load();
            if before.mode != after.mode {
                sessions::secret_changed(&cx, &hub, &tasks);
            }
            if before.allow_tailscale && !after.allow_tailscale {
                sessions::tailscale_refused(&hub, &tasks);
            }
            Ok(())
        }),
        restart: Arc::new(move |delay, reason| {
            on_restart.request(delay, Request::new(Goal::Restart, reason));
        }),
        files: boot.loaded.snapshot.files.clone(),
    });
    boot.tasks.spawn("reloads", Kind::Essential, owner.run(boot.tasks.stopping()));
    reload
}

fn start_trials(boot: &Boot, live: &Live, reload: &Reload, board: &Board) -> Trials {
    let (trials, owner) = trial::new(TrialsOptions {
        paths: boot.paths.clone(),
        env: boot.env.clone(),
        clock: boot.clock.clone(),
        live: live.clone(),
        reload: reload.clone(),
        board: board.clone(),
        carried: boot.trial.clone(),
        is_owner: boot.ownership == Ownership::Primary,
    });
    boot.tasks.spawn("config trials", Kind::Essential, owner.run(boot.tasks.stopping()));
    trials
}
