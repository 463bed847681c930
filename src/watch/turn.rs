//! Whose turn it is: the devices that are looked at when nobody calls, and how their first turns are kept apart.

use crate::base::ids::DeviceId;
use crate::fleet::Status;
use crate::tools::world::World;
use std::time::Duration;

/// A retired device is left alone, a quarantined one gets nothing from us before it is pinned again, and another environment's is
/// not ours.
pub(super) fn ours(world: &World) -> impl Iterator<Item = DeviceId> {
    let environment = world.rules.environment;
    let ours =
        world.fleet.list().into_iter().filter(move |device| {
            !matches!(device.status, Status::Decommissioned | Status::Quarantined) && device.environment == environment
        });
    ours.map(|device| device.id.clone())
}

/// A fixed moment within a stretch for each id.
pub(super) fn spread(id: &DeviceId, within: Duration) -> Duration {
    let sum = id.as_str().bytes().fold(0_u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(byte)));
    Duration::from_millis(sum % (within.as_millis() as u64).max(1))
}
