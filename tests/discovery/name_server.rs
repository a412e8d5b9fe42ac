//! A name server that never answers: a command ends when it said that it would.

use anyhow::ensure;
use gateway_tests::binaries;
use gateway_tests::home::Home;
use gateway_tests::wait::within;

use crate::network::{End, in_a_network, surround};

#[test]
fn a_command_gives_up_in_time_although_a_name_is_still_looked_up() {
    in_a_network(|network| async move {
        // A neighbour that is known and not there: what is sent to it is lost without a word.
        network.ip(End::Left, "neigh add 10.77.0.9 lladdr 02:00:00:00:00:09 dev eth0")?;
        let home = Home::new()?;
        // The look-up takes longer than the test waits for anything.
        home.write("resolv.conf", "nameserver 10.77.0.9\noptions timeout:30 attempts:5\n")?;
        let mut command = network.on(End::Left, "visitor");
        surround(&mut command, &home);
        let with_that = "mount --bind resolv.conf /etc/resolv.conf && exec \"$@\"";
        command.args(["unshare", "--mount", "sh", "-c", with_that, "sh"]);
        command.arg(binaries::folder().await?.join("gatewayctl"));
        command.args(["health", "--url", "ws://far.example:18789", "--timeout", "200"]);
        let output = within("gatewayctl to give up", command.output()).await??;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(
            output.status.code() == Some(1) && said.contains("gateway timeout after 200ms"),
            "{output:?}"
        );
        Ok(())
    });
}
