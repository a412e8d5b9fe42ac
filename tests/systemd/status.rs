//! The states that `gatewayctl status` tells apart and that take a real service manager: each is brought about with it,
//! and the outcome is compared with `tests/golden/status-matrix-systemd.md`.

use anyhow::{Context, Result, ensure};
use gateway_tests::golden;
use gateway_tests::verdict;

use crate::machine::{Machine, UNIT, USER, on_a_machine};

/// Keeps what every row says.
struct Matrix<'a> {
    machine: &'a Machine,
    table: verdict::Table,
}

impl Matrix<'_> {
    /// Asks as the user, in both forms.
    async fn row(&mut self, state: &str) -> Result<()> {
        self.row_of(state, "gatewayctl status").await
    }

    async fn row_of(&mut self, state: &str, ask: &str) -> Result<()> {
        let text = self.machine.try_user(ask).await?;
        let json = self.machine.try_user(&format!("{ask} --json")).await?;
        self.add(state, &text, &json)
    }

    fn add(
        &mut self,
        state: &str,
        text: &gateway_tests::program::Finished,
        json: &gateway_tests::program::Finished,
    ) -> Result<()> {
        let row = verdict::Row::read(text, json).with_context(|| state.to_owned())?;
        self.table.add(state, &row);
        Ok(())
    }

    /// Changes settings of the unit, which is stopped.
    async fn settings(&self, lines: &str) -> Result<()> {
        let folder = format!("~/.config/systemd/user/{UNIT}.d");
        let write = format!("mkdir -p {folder} && printf '{lines}' > {folder}/test.conf");
        self.machine.as_user(&format!("{write} && systemctl --user daemon-reload")).await.map(drop)
    }

    /// Back to a unit as it was installed, stopped.
    async fn reset(&self) -> Result<()> {
        let line = format!(
            "rm -rf ~/.config/systemd/user/{UNIT}.d && systemctl --user daemon-reload && \
             systemctl --user kill -s KILL {UNIT} 2>/dev/null; systemctl --user stop {UNIT}; \
             systemctl --user reset-failed {UNIT}; true"
        );
        self.machine.as_user(&line).await?;
        self.is("ActiveState", "inactive").await
    }

    /// Begins to start the unit, and does not wait.
    async fn start(&self) -> Result<()> {
        self.machine.as_user(&format!("systemctl --user start --no-block {UNIT}")).await.map(drop)
    }

    /// Waits until a property of the unit has this value.
    async fn is(&self, property: &str, value: &str) -> Result<()> {
        self.machine
            .until(&format!("{property} to be {value}"), || async {
                Ok((self.machine.property(property).await? == value).then_some(()))
            })
            .await
    }

    /// Waits until something listens on the gateway's port.
    async fn port_is_taken(&self) -> Result<()> {
        let ask = "python3 -c 'import socket; socket.create_connection((\"127.0.0.1\", 18789)).close()'";
        self.machine
            .until("the port to be taken", || async {
                Ok((self.machine.try_user(ask).await?.code == Some(0)).then_some(()))
            })
            .await
    }
}

/// A gateway that serves, and what can be wrong around it.
async fn serving(matrix: &mut Matrix<'_>) -> Result<()> {
    let machine = matrix.machine;
    matrix.row("the service runs").await?;

    let other = format!(
        "setpriv --reuid nobody --regid nogroup --clear-groups env -i HOME=/nonexistent PATH=/usr/local/bin:/usr/bin \
         CLAWDBOT_STATE_DIR=/home/{USER}/.clawdbot gatewayctl status"
    );
    machine.root(&format!("chmod 755 /home/{USER}")).await?;
    let (text, json) = (machine.try_root(&other).await?, machine.try_root(&format!("{other} --json")).await?);
    matrix.add("the service runs, another user asks", &text, &json)?;

    machine.root("ip link set lo down").await?;
    matrix.row("the service runs, the machine's own network is down").await?;
    machine.root("ip link set lo up").await?;

    let program = "/usr/local/bin/gatewayd";
    machine.root(&format!("cp {program} {program}.new && mv {program}.new {program}")).await?;
    matrix.row("the service runs, its program was replaced").await?;

    machine.as_user("gatewayctl stop").await?;
    matrix.row("the service was stopped").await?;

    machine.as_user("systemd-run --user --quiet --unit=foreground gatewayd --port 18789").await?;
    machine
        .until("the other gateway", || async {
            Ok((machine.try_user("gatewayctl health --ready").await?.code == Some(0)).then_some(()))
        })
        .await?;
    matrix.row("the service was stopped, a gateway runs beside it").await?;
    machine.as_user("systemctl --user stop foreground").await.map(drop)
}

/// A service that cannot start.
async fn failing(matrix: &mut Matrix<'_>) -> Result<()> {
    let machine = matrix.machine;
    machine.as_user("cp ~/.clawdbot/clawdbot.json ~/good && echo '{}' > ~/.clawdbot/clawdbot.json").await?;
    matrix.start().await?;
    matrix.is("ActiveState", "failed").await?;
    matrix.row("the service failed: it is not configured").await?;
    machine.as_user("mv ~/good ~/.clawdbot/clawdbot.json").await?;
    matrix.reset().await?;

    machine.root("mv /usr/local/bin/gatewayd /usr/local/bin/away").await?;
    matrix.start().await?;
    matrix.is("ConditionResult", "no").await?;
    matrix.row("the service's program is gone").await?;
    machine.root("mv /usr/local/bin/away /usr/local/bin/gatewayd").await?;
    matrix.reset().await?;

    machine
        .as_user("systemd-run --user --quiet --unit=web python3 -m http.server --bind 127.0.0.1 18789")
        .await?;
    matrix.port_is_taken().await?;
    matrix.start().await?;
    matrix.is("ActiveState", "failed").await?;
    matrix.row("the service failed: another program has its port").await?;
    machine.as_user("systemctl --user stop web").await?;
    matrix.reset().await?;

    let hasty = "[Unit]\\nStartLimitIntervalSec=1h\\nStartLimitBurst=2\\n\
                 [Service]\\nRestartSec=10ms\\nExecStart=\\nExecStart=/bin/false\\n";
    matrix.settings(hasty).await?;
    matrix.start().await?;
    matrix.is("ActiveState", "failed").await?;
    matrix.row("the service failed too often").await?;
    matrix.reset().await?;

    matrix.settings("[Service]\\nRestartSec=1h\\nExecStart=\\nExecStart=/bin/false\\n").await?;
    matrix.start().await?;
    matrix.is("SubState", "auto-restart").await?;
    matrix.row("the service crashed and waits to be started again").await?;
    matrix.reset().await?;

    matrix.settings("[Service]\\nRestartSec=1h\\n").await?;
    machine.as_user("gatewayctl start").await?;
    machine.as_user(&format!("kill -KILL {}", machine.property("MainPID").await?)).await?;
    matrix.is("SubState", "auto-restart").await?;
    matrix.row("the service crashed after it served, and its port is kept").await?;
    matrix.reset().await
}

/// A service on its way, or stuck.
async fn between(matrix: &mut Matrix<'_>) -> Result<()> {
    let machine = matrix.machine;
    matrix.settings("[Service]\\nExecStartPre=/bin/sleep 1h\\n").await?;
    matrix.start().await?;
    matrix.is("SubState", "start-pre").await?;
    matrix.row("the service is being started").await?;
    matrix.reset().await?;

    matrix.settings("[Service]\\nExecStopPost=/bin/sleep 1h\\nTimeoutStopSec=1h\\n").await?;
    machine.as_user("gatewayctl start").await?;
    machine.as_user(&format!("systemctl --user stop --no-block {UNIT}")).await?;
    matrix.is("SubState", "stop-post").await?;
    matrix.row("the service is being stopped").await?;
    matrix.reset().await?;

    let idle = "[Service]\\nType=simple\\nWatchdogSec=0\\nExecStart=\\nExecStart=/bin/sleep 1h\\n";
    matrix.settings(idle).await?;
    matrix.start().await?;
    matrix.is("ActiveState", "active").await?;
    matrix.row("the service runs and does not listen").await?;
    matrix.reset().await?;

    matrix.settings("[Service]\\nWatchdogSec=1h\\n").await?;
    machine.as_user("gatewayctl start").await?;
    machine.as_user(&format!("kill -STOP {}", machine.property("MainPID").await?)).await?;
    let ask = "gatewayctl status --timeout 1000";
    matrix.row_of("the service's process is stopped by a signal", ask).await?;
    matrix.reset().await
}

#[test]
fn every_state_of_the_service_has_one_verdict() {
    on_a_machine(|machine| async move {
        machine.linger().await?;
        let mut matrix = Matrix { machine: &machine, table: verdict::Table::default() };
        matrix.row("nothing is installed").await?;
        machine.as_user("gatewayctl install").await?;
        serving(&mut matrix).await.context("while it serves")?;
        failing(&mut matrix).await.context("while it fails")?;
        between(&mut matrix).await.context("on its way")?;
        ensure!(matrix.table.len() > 15, "the whole matrix");
        golden::check("status-matrix-systemd.md", &matrix.table.render())
    });
}
