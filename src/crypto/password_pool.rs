//! Password hashing, rationed: a few threads of its own at lower priority, a short queue that is
//! fair between callers, and a clear "busy" beyond it. So a login storm neither starves token issue
//! nor grows memory, and one address can't lock the others out.

use std::collections::{HashMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::password_hash::{Cost, Verified, Workspace};
use crate::model::entropy::Entropy;
use crate::model::secret::Secret;

/// A thread without work for this long gives its memory back.
const IDLE: Duration = Duration::from_secs(10);

/// How the pool is laid out.
#[derive(Clone, Copy, Debug)]
pub struct PoolConfig {
    /// Threads; by default one fewer than cores, at least one.
    pub threads: Option<usize>,
    /// Jobs that may wait; by default as many as are done within the wait limit.
    pub queue: Option<usize>,
    /// How long a job may wait before it is answered "busy".
    pub wait_limit: Duration,
    /// What a new hash costs.
    pub cost: Cost,
    /// How much the threads stand back behind the rest of the process (`nice`, 0 to 19; Linux only).
    pub nice: i32,
}

impl Default for PoolConfig {
    fn default() -> Self {
        Self { threads: None, queue: None, wait_limit: Duration::from_secs(2), cost: Cost::default(), nice: 5 }
    }
}

/// Why there is no answer about a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PoolError {
    /// Too many passwords at once; to be answered with 503 and `Retry-After` (RFC 9110 §10.2.3).
    #[error("too many passwords at once")]
    Busy {
        /// When it is worth trying again.
        retry_after: Duration,
    },
    /// The job failed: a panic in a library, or an impossible cost. Never seen with valid settings.
    #[error("the password could not be processed")]
    Failed,
}

/// The pool's gauges.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PoolStats {
    /// Jobs that wait.
    pub queued: usize,
    /// Jobs that are being worked on.
    pub running: usize,
    /// Jobs that were answered "busy" since the start.
    pub refused_total: u64,
}

/// How many may wait for each thread at least: a start on a busy machine measures slow hashes, and
/// those who wait too long are told so anyway.
const LEAST_QUEUE: usize = 64;

/// The threads and their queue. Dropping it answers what still waits with "busy" and waits for
/// what is being worked on.
pub struct PasswordPool {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

struct Shared {
    state: Mutex<State>,
    wake: Condvar,
    entropy: Arc<dyn Entropy>,
    cost: Cost,
    /// What one hash took at the start.
    hash_time: Duration,
    threads: usize,
    queue: usize,
    wait_limit: Duration,
    refused: AtomicU64,
}

#[derive(Default)]
struct State {
    /// Waiting jobs by source; no entry is empty.
    waiting: HashMap<u64, VecDeque<Job>>,
    /// The sources that have waiting jobs, in the order in which it is their turn.
    turns: VecDeque<u64>,
    queued: usize,
    running: usize,
    closed: bool,
}

struct Job {
    task: Task,
    reply: oneshot::Sender<Result<Answer, PoolError>>,
    started: Arc<AtomicBool>,
}

enum Task {
    Hash(Secret<String>),
    Verify(Secret<String>, String),
    Waste(Secret<String>),
    #[cfg(test)]
    Panic,
    #[cfg(test)]
    Block(std::sync::mpsc::Receiver<()>),
}

enum Answer {
    Hashed(String),
    Verified(Verified),
}

impl PasswordPool {
    /// Starts the threads. Hashes once, to learn how long that takes on this machine.
    ///
    /// # Errors
    /// If the cost is impossible or a thread can't be started.
    pub fn new(config: PoolConfig, entropy: Arc<dyn Entropy>) -> std::io::Result<Self> {
        if !config.cost.is_valid() {
            return Err(std::io::Error::new(std::io::ErrorKind::InvalidInput, "impossible Argon2 cost"));
        }
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let threads = config.threads.unwrap_or(cores.saturating_sub(1)).max(1);
        let hash_time = measure(config.cost);
        let in_time = config.wait_limit.as_micros() / hash_time.as_micros().max(1);
        let fitting =
            threads.saturating_mul(usize::try_from(in_time).unwrap_or(usize::MAX)).clamp(LEAST_QUEUE * threads, 4096);
        let shared = Arc::new(Shared {
            state: Mutex::default(),
            wake: Condvar::new(),
            entropy,
            cost: config.cost,
            hash_time,
            threads,
            queue: config.queue.unwrap_or(fitting).max(1),
            wait_limit: config.wait_limit,
            refused: AtomicU64::new(0),
        });
        let mut pool = Self { shared, threads: Vec::with_capacity(threads) };
        for number in 0..threads {
            let shared = Arc::clone(&pool.shared);
            let thread = std::thread::Builder::new().name(format!("password-{number}"));
            pool.threads.push(thread.spawn(move || {
                stand_back(config.nice);
                shared.work();
            })?);
        }
        Ok(pool)
    }

    /// A new hash at the configured cost. `source` stands for who asks, e.g. a digest of the
    /// address: the queue is fair between sources.
    ///
    /// # Errors
    /// [`PoolError`].
    pub async fn hash(&self, password: Secret<String>, source: u64) -> Result<String, PoolError> {
        match self.run(Task::Hash(password), source).await? {
            Answer::Hashed(hash) => Ok(hash),
            Answer::Verified(_) => Err(PoolError::Failed),
        }
    }

    /// Compares a password with a stored hash.
    ///
    /// # Errors
    /// [`PoolError`].
    pub async fn verify(&self, password: Secret<String>, stored: String, source: u64) -> Result<Verified, PoolError> {
        match self.run(Task::Verify(password, stored), source).await? {
            Answer::Verified(verified) => Ok(verified),
            Answer::Hashed(_) => Err(PoolError::Failed),
        }
    }

    /// The same work and the same wait for a user who does not exist; never a match.
    ///
    /// # Errors
    /// [`PoolError`].
    pub async fn verify_dummy(&self, password: Secret<String>, source: u64) -> Result<Verified, PoolError> {
        self.run(Task::Waste(password), source).await.map(|_| Verified::NO)
    }

    /// What a new hash costs.
    #[must_use]
    pub fn cost(&self) -> Cost {
        self.shared.cost
    }

    /// The gauges.
    #[must_use]
    pub fn stats(&self) -> PoolStats {
        let state = self.shared.lock();
        PoolStats {
            queued: state.queued,
            running: state.running,
            refused_total: self.shared.refused.load(Ordering::Relaxed),
        }
    }

    async fn run(&self, task: Task, source: u64) -> Result<Answer, PoolError> {
        let (reply, mut answer) = oneshot::channel();
        let started = Arc::new(AtomicBool::new(false));
        self.shared.submit(Job { task, reply, started: Arc::clone(&started) }, source)?;
        let answered = match tokio::time::timeout(self.shared.wait_limit, &mut answer).await {
            Ok(answered) => answered,
            // Work that has begun is worth waiting for; else the job is dropped with this receiver.
            Err(_) if started.load(Ordering::Acquire) => answer.await,
            Err(_) => return Err(self.shared.refuse(&self.shared.lock())),
        };
        answered.unwrap_or(Err(PoolError::Failed))
    }
}

impl Drop for PasswordPool {
    fn drop(&mut self) {
        {
            let mut state = self.shared.lock();
            state.closed = true;
            while let Some(job) = state.next() {
                let busy = self.shared.refuse(&state);
                let _ = job.reply.send(Err(busy));
            }
        }
        self.shared.wake.notify_all();
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

impl Shared {
    /// The state is consistent whenever the lock is free, so a poisoned lock is still good.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn submit(&self, job: Job, source: u64) -> Result<(), PoolError> {
        let mut state = self.lock();
        if state.queued >= self.queue {
            state.forget_abandoned();
        }
        if state.queued >= self.queue {
            // One source may use the whole queue while nobody else wants it; but who comes with
            // fewer jobs takes the place of the newest job of whoever has the most.
            let Some(displaced) = state.displace_for(source) else {
                return Err(self.refuse(&state));
            };
            let busy = self.refuse(&state);
            let _ = displaced.reply.send(Err(busy));
        }
        state.push(job, source);
        drop(state);
        self.wake.notify_one();
        Ok(())
    }

    /// "Busy", with the time in which the present queue will have been worked off.
    fn refuse(&self, state: &State) -> PoolError {
        self.refused.fetch_add(1, Ordering::Relaxed);
        let ahead = u32::try_from((state.queued + state.running).div_ceil(self.threads)).unwrap_or(u32::MAX);
        let wait = self.hash_time.saturating_mul(ahead);
        PoolError::Busy { retry_after: wait.clamp(Duration::from_secs(1), Duration::from_secs(30)) }
    }

    /// A thread's life: jobs until the pool is closed.
    fn work(&self) {
        let mut workspace = Workspace::default();
        while let Some(job) = self.take(&mut workspace) {
            let outcome = catch_unwind(AssertUnwindSafe(|| self.perform(job.task, &mut workspace)));
            if outcome.is_err() {
                workspace.release();
            }
            self.lock().running -= 1;
            let _ = job.reply.send(outcome.unwrap_or(Err(PoolError::Failed)));
        }
    }

    /// The next job whose caller still waits; none once the pool is closed.
    fn take(&self, workspace: &mut Workspace) -> Option<Job> {
        let mut state = self.lock();
        loop {
            while let Some(job) = state.next() {
                job.started.store(true, Ordering::Release);
                // Looked at after `started` is set: whoever gives up later than this sees it set.
                if !job.reply.is_closed() {
                    state.running += 1;
                    return Some(job);
                }
            }
            if state.closed {
                return None;
            }
            let (woken, waited) = self.wake.wait_timeout(state, IDLE).unwrap_or_else(PoisonError::into_inner);
            state = woken;
            if waited.timed_out() {
                workspace.release();
            }
        }
    }

    fn perform(&self, task: Task, workspace: &mut Workspace) -> Result<Answer, PoolError> {
        match task {
            Task::Hash(password) => {
                let hash = workspace.hash(password.expose(), self.cost, &*self.entropy);
                hash.map(Answer::Hashed).map_err(|_| PoolError::Failed)
            }
            Task::Verify(password, stored) => {
                Ok(Answer::Verified(workspace.verify(password.expose(), &stored, self.cost)))
            }
            Task::Waste(password) => {
                workspace.waste(password.expose(), self.cost);
                Ok(Answer::Verified(Verified::NO))
            }
            #[cfg(test)]
            #[allow(clippy::panic)]
            Task::Panic => panic!("wanted by a test"),
            #[cfg(test)]
            Task::Block(until) => {
                let _ = until.recv();
                Ok(Answer::Verified(Verified::NO))
            }
        }
    }
}

impl State {
    fn push(&mut self, job: Job, source: u64) {
        let jobs = self.waiting.entry(source).or_default();
        if jobs.is_empty() {
            self.turns.push_back(source);
        }
        jobs.push_back(job);
        self.queued += 1;
    }

    /// The oldest job of the source whose turn it is; the source then goes to the end of the line.
    fn next(&mut self) -> Option<Job> {
        let source = self.turns.pop_front()?;
        let jobs = self.waiting.get_mut(&source)?;
        let job = jobs.pop_front()?;
        self.queued -= 1;
        if jobs.is_empty() {
            self.waiting.remove(&source);
        } else {
            self.turns.push_back(source);
        }
        Some(job)
    }

    /// Takes out the newest job of the source with the most, if that has at least two more than
    /// the newcomer: with fewer, the two would only push each other out in turn.
    fn displace_for(&mut self, newcomer: u64) -> Option<Job> {
        let own = self.waiting.get(&newcomer).map_or(0, VecDeque::len);
        let (_, jobs) = self.waiting.iter_mut().max_by_key(|(_, jobs)| jobs.len())?;
        if jobs.len() < own + 2 {
            return None;
        }
        self.queued -= 1;
        jobs.pop_back()
    }

    /// Drops the jobs whose callers have gone away.
    fn forget_abandoned(&mut self) {
        for jobs in self.waiting.values_mut() {
            jobs.retain(|job| !job.reply.is_closed());
        }
        self.waiting.retain(|_, jobs| !jobs.is_empty());
        self.turns.retain(|source| self.waiting.contains_key(source));
        self.queued = self.waiting.values().map(VecDeque::len).sum();
    }
}

/// How long one hash takes with its memory at hand.
fn measure(cost: Cost) -> Duration {
    let mut workspace = Workspace::default();
    workspace.waste("warm up", Cost { iterations: 1, ..cost });
    let start = Instant::now();
    workspace.waste("measure", cost);
    start.elapsed()
}

/// A cost at which a hash takes about `target` on this machine: the memory as wished, as many
/// passes as fit; never below [`Cost::MINIMUM`].
#[must_use]
pub fn calibrate(target: Duration, memory_kib: u32) -> Cost {
    let floor = Cost { memory_kib: memory_kib.clamp(Cost::MINIMUM.memory_kib, 256 * 1024), ..Cost::MINIMUM };
    let one_pass = measure(floor).as_micros() / u128::from(floor.iterations);
    let passes = u32::try_from(target.as_micros() / one_pass.max(1)).unwrap_or(u32::MAX);
    Cost { iterations: passes.clamp(floor.iterations, 8), ..floor }
}

/// Lowers the calling thread's priority. On Linux a priority belongs to a thread, and raising its
/// number needs no right; a failure costs fairness only, so it is ignored.
#[cfg(target_os = "linux")]
fn stand_back(nice: i32) {
    let _ = rustix::process::setpriority_process(Some(rustix::thread::gettid()), nice.clamp(0, 19));
}

#[cfg(not(target_os = "linux"))]
fn stand_back(_nice: i32) {}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
mod tests {
    use std::sync::mpsc;

    use super::*;
    use crate::model::entropy::SeededEntropy;

    const CHEAP: Cost = Cost { memory_kib: 64, iterations: 1, lanes: 1 };

    fn pool(threads: usize, queue: usize, wait: Duration) -> PasswordPool {
        let config = PoolConfig { threads: Some(threads), queue: Some(queue), wait_limit: wait, cost: CHEAP, nice: 5 };
        PasswordPool::new(config, Arc::new(SeededEntropy::new(1))).unwrap()
    }

    fn secret(text: &str) -> Secret<String> {
        Secret::new(text.to_owned())
    }

    const LONG: Duration = Duration::from_secs(60);

    /// Occupies the pool's only thread until the sender is dropped.
    fn block(pool: &PasswordPool) -> (mpsc::Sender<()>, oneshot::Receiver<Result<Answer, PoolError>>) {
        let (free, until) = mpsc::channel();
        let answer = submit(pool, Task::Block(until), 0).unwrap();
        while pool.stats().running == 0 {
            std::thread::yield_now();
        }
        (free, answer)
    }

    type Reply = oneshot::Receiver<Result<Answer, PoolError>>;

    fn submit(pool: &PasswordPool, task: Task, source: u64) -> Result<Reply, PoolError> {
        let (reply, answer) = oneshot::channel();
        pool.shared.submit(Job { task, reply, started: Arc::default() }, source)?;
        Ok(answer)
    }

    fn waste(pool: &PasswordPool, source: u64) -> Result<Reply, PoolError> {
        submit(pool, Task::Waste(secret("x")), source)
    }

    #[tokio::test]
    async fn hashes_and_verifies() {
        let pool = pool(2, 8, LONG);
        let stored = pool.hash(secret("hunter2"), 1).await.unwrap();
        let right = pool.verify(secret("hunter2"), stored.clone(), 1).await;
        assert_eq!(right, Ok(Verified { ok: true, needs_rehash: false }));
        assert_eq!(pool.verify(secret("hunter3"), stored, 1).await, Ok(Verified::NO));
        assert_eq!(pool.verify(secret("x"), "gibberish".to_owned(), 1).await, Ok(Verified::NO));
        assert_eq!(pool.verify_dummy(secret("x"), 1).await, Ok(Verified::NO));
        assert_eq!(pool.stats(), PoolStats::default());
    }

    #[tokio::test]
    async fn a_panic_costs_one_job() {
        let pool = pool(1, 8, LONG);
        assert!(matches!(pool.run(Task::Panic, 1).await, Err(PoolError::Failed)));
        assert!(pool.hash(secret("x"), 1).await.is_ok());
        assert_eq!(pool.stats().running, 0);
    }

    #[tokio::test]
    async fn beyond_the_queue_is_busy() {
        let pool = pool(1, 2, LONG);
        let (free, _blocked) = block(&pool);
        let waiting = [waste(&pool, 1).unwrap(), waste(&pool, 1).unwrap()];
        let Err(PoolError::Busy { retry_after }) = waste(&pool, 1) else { panic!("not busy") };
        assert!(retry_after >= Duration::from_secs(1));
        assert_eq!(pool.stats(), PoolStats { queued: 2, running: 1, refused_total: 1 });
        drop(free);
        for answer in waiting {
            assert!(answer.await.unwrap().is_ok());
        }
    }

    #[tokio::test]
    async fn who_waits_too_long_is_told_and_not_worked_for() {
        let pool = pool(1, 4, Duration::from_millis(20));
        let (free, _blocked) = block(&pool);
        assert!(matches!(pool.hash(secret("x"), 1).await, Err(PoolError::Busy { .. })));
        assert_eq!(pool.stats().queued, 1, "still in line, but nobody listens");
        // Its place is free for others: the queue holds four again.
        let others: Vec<_> = (0..4).map(|_| waste(&pool, 2).unwrap()).collect();
        drop(free);
        for answer in others {
            assert!(answer.await.unwrap().is_ok());
        }
    }

    #[tokio::test]
    #[allow(clippy::disallowed_methods)] // what is tested is that real time passes
    async fn work_that_has_begun_is_waited_for() {
        let pool = pool(1, 4, Duration::from_millis(20));
        let (free, until) = mpsc::channel();
        let later = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(60));
            drop(free);
        });
        assert!(pool.run(Task::Block(until), 1).await.is_ok());
        later.join().unwrap();
    }

    #[tokio::test]
    async fn one_source_neither_fills_the_queue_nor_delays_the_others() {
        let pool = pool(1, 8, LONG);
        let (free, _blocked) = block(&pool);
        let mut flood: Vec<_> = (0..8).map(|_| waste(&pool, 666).unwrap()).collect();
        assert!(waste(&pool, 666).is_err());
        // A newcomer takes the place of the flood's newest job, until the shares are even.
        let others: Vec<_> = (0..4).map(|_| waste(&pool, 7).unwrap()).collect();
        assert!(waste(&pool, 7).is_err(), "four each is fair");
        for displaced in flood.split_off(4) {
            assert!(matches!(displaced.await.unwrap(), Err(PoolError::Busy { .. })));
        }
        // And the two take turns.
        let order: Vec<_> = {
            let mut state = pool.shared.lock();
            let jobs: Vec<_> = (0..4).map(|_| (state.turns[0], state.next().unwrap())).collect();
            let order = jobs.iter().map(|(source, _)| *source).collect();
            jobs.into_iter().for_each(|(source, job)| state.push(job, source));
            order
        };
        assert_eq!(order, [666, 7, 666, 7]);
        drop(free);
        for answer in flood.into_iter().chain(others) {
            assert!(answer.await.unwrap().is_ok());
        }
    }

    #[tokio::test]
    async fn closing_answers_everybody() {
        let pool = pool(1, 8, LONG);
        let (free, blocked) = block(&pool);
        let waiting = waste(&pool, 1).unwrap();
        let closing = std::thread::spawn(move || drop(pool));
        assert!(matches!(waiting.await.unwrap(), Err(PoolError::Busy { .. })));
        drop(free);
        assert!(blocked.await.unwrap().is_ok());
        closing.join().unwrap();
    }

    #[test]
    fn calibration_respects_the_floor() {
        assert_eq!(calibrate(Duration::ZERO, 0), Cost::MINIMUM);
        let slow = calibrate(Duration::from_secs(60), 0);
        assert_eq!(slow, Cost { iterations: 8, ..Cost::MINIMUM });
    }

    #[test]
    fn an_impossible_cost_is_noticed_at_the_start() {
        let config = PoolConfig { cost: Cost { lanes: 0, ..CHEAP }, ..PoolConfig::default() };
        assert!(PasswordPool::new(config, Arc::new(SeededEntropy::new(1))).is_err());
    }
}
