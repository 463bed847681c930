//! New connections to a router, each with a login of its own: the proof that we can still get in.
//!
//! A lane keeps its connection, and the router keeps letting established ones through long after a new one would be refused. So after
//! a change nothing is believed that was not seen over a connection made since. Asks are not repeated, and neither the breaker nor
//! the pace of the lane stands in their way: there are few of them, and a late proof lets a guard fire.

use crate::base::fault::{Fault, Kind};
use crate::base::ids::DeviceId;
use crate::base::secret::Secret;
use crate::fleet::config::VerifyTls;
use crate::fleet::device::Device;
use crate::fleet::fault;
use crate::fleet::foreign::{is_of_another_menu, of_another_menu};
use crate::fleet::registry::Fleet;
use crate::fleet::wire::{Ask, Said, Wire};
use crate::routeros::{MenuPath, Query, Row};
use std::sync::Arc;

/// New ways to one router; they close when this goes.
pub struct Fresh {
    device: Arc<Device>,
    rest: Arc<dyn Wire>,
    ssh: Option<Arc<dyn Wire>>,
}

impl Fleet {
    /// Ways to a device's router on which nothing has been sent yet. Errs as a lane's read for a device that may not be asked.
    pub async fn fresh(&self, id: &DeviceId) -> Result<Fresh, Fault> {
        self.shared.admit(id)?;
        let device = self.get(id)?;
        let (rest, ssh) = self.shared.dial_each(&device).await?;
        Ok(Fresh { device, rest, ssh })
    }

    /// The same with another password than the one kept: the proof that it lets us in, or does not.
    pub async fn fresh_as(&self, id: &DeviceId, password: &Secret) -> Result<Fresh, Fault> {
        self.shared.admit(id)?;
        let device = self.get(id)?;
        let (rest, ssh) = self.shared.dial_each_as(&device, password.clone()).await?;
        Ok(Fresh { device, rest, ssh })
    }

    /// Whether the other end of a device's REST connection has to prove who it is.
    pub fn proves_rest(&self, device: &Device) -> bool {
        !device.plain_http && self.shared.settings.routeros.verify_tls != VerifyTls::Off
    }
}

impl Fresh {
    /// The device it leads to.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// Rows over REST: connection, certificate, login and rights, proven by an answer; of this menu, as `Lane::read_own`.
    pub async fn rows(&self, path: MenuPath, query: Query) -> Result<Vec<Row>, Fault> {
        for _ in 0..2 {
            let rows = self.print(&self.rest, path.clone(), query.clone()).await?;
            if !is_of_another_menu(&path, &query, &rows) {
                return Ok(rows);
            }
        }
        Err(of_another_menu(&self.device.name, &path))
    }

    /// Rows over SSH; `None` where SSH is not in use.
    pub async fn rows_over_ssh(&self, path: MenuPath, query: Query) -> Option<Result<Vec<Row>, Fault>> {
        Some(self.print(self.ssh.as_ref()?, path, query).await)
    }

    /// Whether SSH lets us in and runs a command for us; `None` where SSH is not in use. One command.
    pub async fn knock_over_ssh(&self) -> Option<Result<(), Fault>> {
        let knocked = self.ssh.as_ref()?.knock().await;
        Some(knocked.map_err(|error| fault::about(&self.device.name, error.into())))
    }

    /// Any question over REST.
    pub async fn over_rest(&self, ask: Ask) -> Result<Said, Fault> {
        self.ask(&self.rest, ask).await
    }

    async fn print(&self, wire: &Arc<dyn Wire>, path: MenuPath, query: Query) -> Result<Vec<Row>, Fault> {
        match self.ask(wire, Ask::Print(path, query)).await? {
            Said::Rows(rows) => Ok(rows),
            Said::Count(_) | Said::Text(_) | Said::Bytes(_) => Err(Fault::new(Kind::Bug, "a print answered something else than rows")),
        }
    }

    async fn ask(&self, wire: &Arc<dyn Wire>, ask: Ask) -> Result<Said, Fault> {
        let said = wire.ask(&ask).await;
        said.map(|(said, _)| said).map_err(|error| fault::about(&self.device.name, ask.marked(&error, error.clone().into())))
    }
}

impl Drop for Fresh {
    fn drop(&mut self) {
        self.rest.let_go();
        if let Some(ssh) = &self.ssh {
            ssh.let_go();
        }
    }
}
