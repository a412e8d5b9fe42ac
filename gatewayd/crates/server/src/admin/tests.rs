//! The whole admin side over a real socket, with a backend of a few lines.

mod fake;
mod limits;

use std::sync::Arc;
use std::time::Duration;

use fake::{Fake, start};
use gateway_admin::details::Reason;
use gateway_admin::v1::{self, StepState};
use tonic::Code;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use super::Limits;
use super::backend::{LogStart, ShutdownMode};
use super::health::{Part, Phase, State};

const NAMES: [&str; 12] = [
    "",
    "readiness",
    "startup",
    "liveness",
    "gateway.admin.v1.Admin",
    "config",
    "listener",
    "store",
    "channels",
    "cron",
    "nodes",
    "memory",
];

fn service(name: &str) -> HealthCheckRequest {
    HealthCheckRequest { service: name.to_owned() }
}

#[tokio::test]
async fn status_is_the_backends_with_phase_and_connections() {
    let running = start(Limits::default()).await;
    running.board.enter(Phase::Draining);
    let status = running.admin().await.status(v1::StatusRequest {}).await.expect("status").into_inner();
    assert_eq!(status.build.expect("build").version, "9.9.9");
    assert_eq!((status.phase, status.admin_connections), (v1::Phase::Draining.into(), 1));
}

#[tokio::test]
async fn snapshots_come_at_once_and_after_each_pause() {
    let running = start(Limits::default()).await;
    running.board.enter(Phase::Serving);
    let ask = async |ms: Option<i64>| {
        running.admin().await.metrics(every(ms)).await.map(tonic::Response::into_inner)
    };
    let mut one = ask(None).await.expect("a stream");
    let snapshot = one.message().await.expect("no failure").expect("a snapshot");
    assert_eq!((snapshot.sessions, snapshot.phase()), (9, v1::Phase::Serving));
    assert!(snapshot.admin_connections >= 1);
    assert!(one.message().await.expect("no failure").is_none(), "one was asked for");
    let mut many = ask(Some(100)).await.expect("a stream");
    for _ in 0..3 {
        assert!(many.message().await.expect("no failure").is_some());
    }
    running.stop.cancel();
    assert!(many.message().await.expect("no failure").is_none(), "it ends with the daemon");
}

#[tokio::test]
async fn a_pause_that_makes_no_sense_is_refused() {
    let running = start(Limits::default()).await;
    for ms in [0, -1, 99, 3_600_001] {
        let refused = running.admin().await.metrics(every(Some(ms))).await.expect_err("is refused");
        assert_eq!(refused.code(), Code::InvalidArgument, "{ms}");
        assert!(refused.message().starts_with("interval must be"), "{refused:?}");
    }
}

fn every(ms: Option<i64>) -> v1::MetricsRequest {
    let mut request = v1::MetricsRequest::default();
    if let Some(ms) = ms {
        let interval = request.interval.get_or_insert_default();
        interval.seconds = ms / 1_000;
        interval.nanos = i32::try_from(ms % 1_000).unwrap_or_default() * 1_000_000;
    }
    request
}

#[tokio::test]
async fn the_health_call_tells_every_part_with_its_reason() {
    let running = start(Limits::default()).await;
    running.serving();
    running.board.set(Part::Channels, State::Failed, "no network");
    let health = running.admin().await.health(v1::HealthRequest {}).await.expect("health").into_inner();
    assert_eq!((health.state(), health.phase()), (State::Degraded, Phase::Serving));
    let names: Vec<_> = health.parts.iter().map(|part| part.name.as_str()).collect();
    assert_eq!(
        names,
        ["config", "listener", "store", "log", "channels", "cron", "nodes", "memory", "tailscale"]
    );
    let channels = &health.parts[4];
    assert_eq!((channels.state(), channels.reason.as_str()), (State::Failed, "no network"));
    assert!(channels.since.is_some());
}

#[tokio::test]
async fn standard_health_follows_the_life_of_the_daemon() {
    let running = start(Limits::default()).await;
    let mut client = HealthClient::new(running.channel().await);
    let mut watch = async |name| client.watch(service(name)).await.expect("it is registered").into_inner();
    let (mut overall, mut store, mut cron) = (watch("").await, watch("store").await, watch("cron").await);
    let next = async |stream: &mut tonic::Streaming<_>| -> Option<ServingStatus> {
        let update: Option<tonic_health::pb::HealthCheckResponse> =
            stream.message().await.expect("an update");
        update.map(|update| update.status())
    };
    let (up, down) = (Some(ServingStatus::Serving), Some(ServingStatus::NotServing));
    assert_eq!([next(&mut overall).await, next(&mut store).await, next(&mut cron).await], [down; 3]);
    running.serving();
    assert_eq!([next(&mut overall).await, next(&mut store).await, next(&mut cron).await], [up; 3]);
    running.board.set(Part::Store, State::Failed, "disk is full");
    assert_eq!([next(&mut overall).await, next(&mut store).await], [down; 2]);
    running.board.set(Part::Store, State::Serving, "");
    assert_eq!([next(&mut overall).await, next(&mut store).await], [up; 2]);
    running.board.enter(Phase::Draining);
    assert_eq!([next(&mut overall).await, next(&mut store).await, next(&mut cron).await], [down; 3]);
    running.stop.cancel();
    assert_eq!([next(&mut overall).await, next(&mut store).await, next(&mut cron).await], [None; 3]);
}

#[tokio::test]
async fn every_health_name_is_known_and_a_stop_turns_all_but_two_at_once() {
    let running = start(Limits::default()).await;
    running.serving();
    let mut client = HealthClient::new(running.channel().await);
    for name in NAMES {
        let answer = client.check(service(name)).await.expect(name).into_inner();
        assert_eq!(answer.status(), ServingStatus::Serving, "{name}");
    }
    running.board.enter(Phase::Draining);
    for name in NAMES {
        let answer = client.check(service(name)).await.expect(name).into_inner();
        assert_eq!(
            answer.status() == ServingStatus::Serving,
            ["startup", "liveness"].contains(&name),
            "{name}"
        );
    }
}

#[tokio::test]
async fn a_name_that_does_not_exist_is_told_apart_from_one_that_is_down() {
    let running = start(Limits::default()).await;
    let mut client = HealthClient::new(running.channel().await);
    let unknown = client.check(service("nonsense")).await.expect_err("there is no such service");
    assert_eq!(unknown.code(), Code::NotFound);
    let mut watch = client.watch(service("nonsense")).await.expect("watch").into_inner();
    let first = watch.message().await.expect("an update").expect("not ended");
    assert_eq!(first.status(), ServingStatus::ServiceUnknown);
}

#[tokio::test]
async fn reflection_in_both_versions_lists_everything_and_carries_the_comments() {
    let running = start(Limits::default()).await;
    let channel = running.channel().await;
    macro_rules! check {
        ($version:ident) => {{
            use tonic_reflection::pb::$version::server_reflection_client::ServerReflectionClient;
            use tonic_reflection::pb::$version::server_reflection_request::MessageRequest;
            use tonic_reflection::pb::$version::server_reflection_response::MessageResponse;
            use tonic_reflection::pb::$version::{ServerReflectionRequest, ServerReflectionResponse};
            let ask = |what| ServerReflectionRequest { host: String::new(), message_request: Some(what) };
            let symbol = "gateway.admin.v1.Admin.Status".to_owned();
            let questions = [
                ask(MessageRequest::ListServices(String::new())),
                ask(MessageRequest::FileContainingSymbol(symbol)),
                ask(MessageRequest::FileByFilename("google/protobuf/timestamp.proto".to_owned())),
            ];
            let mut client = ServerReflectionClient::new(channel.clone());
            let answers = client.server_reflection_info(tokio_stream::iter(questions)).await;
            let mut answers = answers.expect("reflection").into_inner();
            let mut next = async || {
                let answer: ServerReflectionResponse =
                    answers.message().await.expect("answer").expect("not ended");
                answer.message_response.expect("it holds something")
            };
            let MessageResponse::ListServicesResponse(list) = next().await else { panic!("no list") };
            let names: Vec<_> = list.service.into_iter().map(|service| service.name).collect();
            for name in [
                "gateway.admin.v1.Admin",
                "grpc.health.v1.Health",
                "grpc.reflection.v1.ServerReflection",
                "grpc.reflection.v1alpha.ServerReflection",
            ] {
                assert!(names.iter().any(|known| known == name), "{name} in {names:?}");
            }
            let MessageResponse::FileDescriptorResponse(file) = next().await else { panic!("no file") };
            let bytes = file.file_descriptor_proto.concat();
            let comment = b"Lines of the daemon's log file";
            assert!(bytes.windows(comment.len()).any(|window| window == comment));
            let MessageResponse::FileDescriptorResponse(file) = next().await else { panic!("no import") };
            assert_eq!(file.file_descriptor_proto.len(), 1);
        }};
    }
    check!(v1);
    check!(v1alpha);
}

#[tokio::test]
async fn a_reload_answers_key_by_key_and_a_bad_file_is_told_apart() {
    let running = start(Limits::default()).await;
    let mut admin = running.admin().await;
    let answer = admin.reload(v1::ReloadRequest { dry_run: true }).await.expect("reload").into_inner();
    assert!(answer.dry_run);
    assert_eq!(answer.refused[0].path, "gateway.port");
    running.fake.break_config();
    let error = admin.reload(v1::ReloadRequest::default()).await.expect_err("the file is broken");
    assert_eq!((error.code(), Reason::of(&error)), (Code::FailedPrecondition, Some(Reason::ConfigInvalid)));
    assert_eq!(error.message(), "line 3, column 7: unexpected }");
}

#[tokio::test]
async fn a_shutdown_streams_its_steps_to_the_last_even_after_the_end_was_asked_for() {
    let running = start(Limits::default()).await;
    let request = v1::ShutdownRequest {
        mode: v1::ShutdownMode::Restart.into(),
        drain_limit: Some(gateway_admin::time::duration(Duration::from_millis(1500))),
        reason: "upgrade".to_owned(),
    };
    let mut steps = running.admin().await.shutdown(request).await.expect("shutdown").into_inner();
    let asked = running.fake.shutdowns.lock().expect("not poisoned").pop().expect("it was asked");
    assert_eq!((asked.mode, asked.reason.as_str()), (ShutdownMode::Restart, "upgrade"));
    assert_eq!(asked.drain_limit, Some(Duration::from_millis(1500)));
    let step = |step: &str, state: StepState| v1::ShutdownResponse {
        step: step.to_owned(),
        state: state.into(),
        ..Default::default()
    };
    let sender = running.fake.steps.lock().expect("not poisoned").pop().expect("a receiver was handed out");
    sender.send(step("drain", StepState::Running)).await.expect("the caller is there");
    assert_eq!(steps.message().await.expect("a step").expect("not ended").step, "drain");
    running.stop.cancel();
    sender.send(step("admin", StepState::Done)).await.expect("the caller is there");
    drop(sender);
    let last = steps.message().await.expect("a step").expect("not ended");
    assert_eq!((last.step.as_str(), last.state()), ("admin", StepState::Done));
    assert_eq!(steps.message().await.expect("a clean end"), None);
}

#[tokio::test]
async fn a_restart_is_announced_for_a_minute_at_most() {
    let running = start(Limits::default()).await;
    let mut admin = running.admin().await;
    let announce = |time| v1::AnnounceRestartRequest { valid_for: time };
    let seconds = |n| Some(gateway_admin::time::duration(Duration::from_secs(n)));
    for wrong in [None, seconds(0), seconds(61)] {
        let refused = admin.announce_restart(announce(wrong)).await.expect_err("refused");
        assert_eq!(Reason::of(&refused), Some(Reason::InvalidRequest));
    }
    admin.announce_restart(announce(seconds(60))).await.expect("it stands");
    assert_eq!(*running.fake.announced.lock().expect("not poisoned"), [Duration::from_secs(60)]);
}

#[tokio::test]
async fn logs_are_followed_until_the_caller_leaves_or_the_server_ends() {
    let running = start(Limits::default()).await;
    let mut admin = running.admin().await;
    let request =
        v1::LogsRequest { tail: 10, follow: true, min_level: v1::LogLevel::Warn.into(), cursor: None };
    let mut kept = admin.logs(request).await.expect("logs").into_inner();
    let left = admin.logs(v1::LogsRequest { cursor: Some(7), ..request }).await.expect("logs").into_inner();
    let (asked, senders) = running.fake.take_logs();
    assert_eq!((asked[0].start, asked[1].start), (LogStart::Tail(10), LogStart::Cursor(7)));
    assert_eq!((asked[0].follow, asked[0].min_level), (true, v1::LogLevel::Warn));
    senders[0]
        .send(Ok(v1::LogsResponse { cursor: 42, ..Default::default() }))
        .await
        .expect("the caller is there");
    assert_eq!(kept.message().await.expect("a batch").expect("not ended").cursor, 42);
    drop(left);
    senders[1].closed().await;
    assert!(!senders[0].is_closed());
    running.stop.cancel();
    assert_eq!(kept.message().await.expect("a clean end"), None);
}

#[tokio::test]
async fn events_are_filtered_numbered_and_losses_are_told() {
    let running = start(Limits::default()).await;
    let request = v1::EventsRequest { names: vec!["b".to_owned()] };
    let mut events = running.admin().await.events(request).await.expect("events").into_inner();
    running.fake.publish("a");
    running.fake.publish("b");
    let first = events.message().await.expect("an event").expect("not ended");
    assert_eq!((first.event.as_str(), first.seq, first.dropped), ("b", 2, 0));
    assert_eq!((first.payload_json.as_str(), first.time.expect("time").seconds), ("{}", 5));
    // Nothing is awaited between them, so the stream cannot keep up with what the channel holds.
    let beyond = Fake::EVENTS as u64 + 6;
    (0..beyond).for_each(|_| running.fake.publish("b"));
    let after = events.message().await.expect("an event").expect("not ended");
    assert_eq!((after.seq, after.dropped), (2 + 6 + 1, 6));
    let next = events.message().await.expect("an event").expect("not ended");
    assert_eq!((next.seq, next.dropped), (2 + 6 + 2, 0));
}

#[tokio::test]
async fn a_call_goes_through_and_a_panic_ends_only_that_call() {
    let running = start(Limits::default()).await;
    let mut admin = running.admin().await;
    let call = |method: &str, params: &str| v1::CallRequest {
        method: method.to_owned(),
        params_json: params.to_owned(),
        expect_final: true,
    };
    let answer = admin.call(call("echo", r#"{"a":1}"#)).await.expect("call").into_inner();
    assert_eq!((answer.ok, answer.payload_json.as_str()), (true, r#"{"a":1}"#));
    let failed = admin.call(call("fail", "")).await.expect("a failing method is an answer").into_inner();
    assert_eq!((failed.ok, failed.error.expect("error").code.as_str()), (false, "UNAVAILABLE"));
    let error = admin.call(call("panic", "")).await.expect_err("it panics");
    assert_eq!((error.code(), Reason::of(&error)), (Code::Internal, Some(Reason::Internal)));
    assert!(!error.message().contains("on purpose"), "{error:?}");
    let error = admin.call(call("echo", "{")).await.expect_err("no JSON");
    assert_eq!(Reason::of(&error), Some(Reason::InvalidRequest));
    admin.call(call("echo", "")).await.expect("the connection lives");
}

#[tokio::test]
async fn the_end_removes_the_socket_and_frees_what_is_connected() {
    let running = start(Limits { closing: Duration::from_millis(1), ..Limits::default() }).await;
    let mut admin = running.admin().await;
    let mut stuck = admin.shutdown(v1::ShutdownRequest::default()).await.expect("shutdown").into_inner();
    let path = running.path.clone();
    running.stop.cancel();
    assert_eq!(
        running.tasks.stop(Duration::from_secs(30)).await,
        0,
        "the server ends although a call does not"
    );
    stuck.message().await.expect_err("the call is cut off");
    assert!(!path.exists());
    let fake = Arc::downgrade(&running.fake);
    drop(running);
    let freed = async {
        while fake.strong_count() > 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), freed).await.expect("no connection outlives the server");
}
