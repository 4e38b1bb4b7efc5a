//! How soon a browser knows of its scan.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    task::JoinSet,
    time::{MissedTickBehavior, interval, sleep},
};

use crate::{
    browser,
    event_stream::EventStream,
    fact::Fact,
    load::nanoseconds,
    login::{Scanned, Seat, Stage},
    output::say,
    plan::Plan,
    publications::Publications,
    statistics::Times,
    turn::World,
    waiting_streams::WaitingStreams,
};

/// How long a person needs at least; here only so that everything is at rest.
const PAUSE: Duration = Duration::from_millis(3);

/// Attempts of these logins live as long as those of browsers.
const LIFETIME: Duration = Duration::from_mins(5);

/// How many people scan in turn.
const MEMBERS: usize = 200;

/// How many others wait while many log in.
const OTHERS: usize = 10_000;

/// From one login to the next while many log in: 100 a second.
const EVERY: Duration = Duration::from_millis(10);

/// The bounds, in milliseconds.
const ALONE_P50_MS: f64 = 0.3;
const CROWD_P50_MS: f64 = 1.0;
const CROWD_P99_MS: f64 = 10.0;

/// Both situations.
pub(crate) async fn measure(world: &World, plan: &Plan) -> Result<Vec<Fact>, String> {
    let publications = Publications::follow(world.fleet.redis_url()).await?;
    let members = world.stage.attempts.members(MEMBERS).await?;
    say("  nobody else waits");
    let logins = if plan.quick { 300 } else { 1000 };
    let alone = alone(&world.stage, &members, logins).await?;
    say(&format!("  {OTHERS} others wait, 100 logins a second"));
    let others = WaitingStreams::open(&world.stage, OTHERS).await?;
    if let Some(refused) = &others.refused {
        return Err(format!("the others can't wait: {refused}"));
    }
    let logins = if plan.quick { 500 } else { 2000 };
    let crowd = crowd(&world.stage, &members, logins).await?;
    drop(others);

    let mut facts = Vec::new();
    for (who, scans, bounds) in [
        ("nobody else waits", alone, [Some(ALONE_P50_MS), None]),
        (
            "10,000 others, 100 logins/s",
            crowd,
            [Some(CROWD_P50_MS), Some(CROWD_P99_MS)],
        ),
    ] {
        let (published, pushed) = times(&scans, &publications)?;
        // The way from the push to the publication is the gateway's, and counted by the pushes' own
        // rows.
        for (what, times, bounds) in [
            ("published", published, bounds),
            ("push sent", pushed, [None, None]),
        ] {
            let name = |percent| format!("{who}: {what} → stream has it, {percent}");
            let values = [
                ("p50", times.p50_us, bounds[0]),
                ("p99", times.p99_us, bounds[1]),
            ];
            for (percent, microseconds, bound) in values {
                let fact = Fact::new(name(percent), microseconds / 1000.0, "ms");
                let fact = match bound {
                    Some(most) => fact.at_most(most),
                    None => fact,
                };
                facts.push(fact.note(format!("{} scans", times.count)));
            }
        }
    }
    Ok(facts)
}

/// One scan after the other.
async fn alone(
    stage: &Arc<Stage>,
    members: &[String],
    logins: usize,
) -> Result<Vec<Scanned>, String> {
    let mut seat = stage.seat().await?;
    let attempts = stage.attempts.open(logins, LIFETIME).await?;
    let mut scans = Vec::with_capacity(logins);
    for (secret, openid) in attempts.iter().zip(members.iter().cycle()) {
        let visitor = stage.visitor();
        let follow = browser::request("GET", "/api/login/events", visitor, Some(secret));
        let mut stream = EventStream::open(stage.site, visitor, &follow)
            .await
            .map_err(|error| error.to_string())?;
        sleep(PAUSE).await;
        scans.push(seat.scan(openid, secret.scene(), &mut stream).await?);
    }
    Ok(scans)
}

/// Whole logins that begin at a fixed rate, whatever becomes of the ones before.
async fn crowd(
    stage: &Arc<Stage>,
    members: &[String],
    logins: usize,
) -> Result<Vec<Scanned>, String> {
    let seats: Arc<Mutex<Vec<Seat>>> = Arc::default();
    let mut running = JoinSet::new();
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    for openid in members.iter().cycle().take(logins) {
        ticks.tick().await;
        let (stage, seats, openid) = (Arc::clone(stage), Arc::clone(&seats), openid.clone());
        running.spawn(async move {
            let free = lock(&seats).pop();
            let mut seat = match free {
                Some(seat) => seat,
                None => stage.seat().await?,
            };
            let scanned = seat.log_in(&openid).await?;
            lock(&seats).push(seat);
            Ok::<_, String>(scanned)
        });
    }
    let mut scans = Vec::with_capacity(logins);
    while let Some(scanned) = running.join_next().await {
        scans.push(scanned.map_err(|error| error.to_string())??);
    }
    Ok(scans)
}

fn lock(seats: &Mutex<Vec<Seat>>) -> std::sync::MutexGuard<'_, Vec<Seat>> {
    seats.lock().unwrap_or_else(PoisonError::into_inner)
}

/// From the publication and from the push to the news.
fn times(scans: &[Scanned], publications: &Publications) -> Result<(Times, Times), String> {
    let mut published = Vec::with_capacity(scans.len());
    let mut pushed = Vec::with_capacity(scans.len());
    for scanned in scans {
        let at = publications
            .at(&scanned.scene)
            .ok_or("a scan that was not published")?;
        // This process may read the stream first when both are there.
        let since = scanned.heard_at.saturating_duration_since(at);
        published.push(nanoseconds(since));
        pushed.push(nanoseconds(scanned.heard_at - scanned.pushed_at));
    }
    Ok((Times::of(published), Times::of(pushed)))
}
