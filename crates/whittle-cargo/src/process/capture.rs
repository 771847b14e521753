//! Reading a child's output as it comes, so that a full pipe does not stop it, and keeping a bounded part.

use std::fs;
use std::io::Read;
use std::mem;
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use super::{Output, Sink};

/// How long a stream may stay open after everything that could be killed is dead.
const PATIENCE: Duration = Duration::from_secs(1);

/// A stream that is being read.
pub(super) struct Capture {
    output: Arc<Mutex<Output>>,
    /// Hears nothing, and hangs up when the stream has ended.
    end: Option<Receiver<()>>,
}

impl Capture {
    pub(super) fn start(stream: Option<impl Read + Send + 'static>, sink: &Sink) -> Self {
        let output = Arc::new(Mutex::new(Output::default()));
        let end = match (stream, sink) {
            (Some(mut stream), Sink::Keep(limit)) => {
                let (sender, receiver) = channel();
                let (output, limit) = (Arc::clone(&output), *limit);
                thread::spawn(move || {
                    let _hangs_up_at_the_end = sender;
                    read(&mut stream, &output, limit);
                });
                Some(receiver)
            }
            _ => None,
        };
        Self { output, end }
    }

    /// What came out, once the command is dead.
    pub(super) fn finish(self, sink: &Sink) -> Output {
        if let Some(end) = self.end {
            // The reader never sends: this waits until it hangs up, or for so long.
            let _ = end.recv_timeout(PATIENCE);
        }
        let mut output = {
            let mut shared = self.output.lock().unwrap_or_else(PoisonError::into_inner);
            mem::take(&mut *shared)
        };
        match sink {
            Sink::Keep(_) => {}
            Sink::Discard => output.complete = true,
            Sink::File(_) => {
                let len = sink.file().and_then(|path| fs::metadata(path).ok());
                output.complete = len.is_some();
                output.len = len.map_or(0, |metadata| metadata.len());
            }
        }
        output
    }
}

fn read(stream: &mut impl Read, output: &Mutex<Output>, limit: usize) {
    let mut buffer = vec![0; 64 << 10];
    loop {
        let read = match stream.read(&mut buffer) {
            Ok(read) => read,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(_) => return,
        };
        let mut output = output.lock().unwrap_or_else(PoisonError::into_inner);
        if read == 0 {
            output.complete = true;
            return;
        }
        let kept = read.min(limit.saturating_sub(output.bytes.len()));
        output.bytes.extend_from_slice(&buffer[..kept]);
        output.len = output.len.saturating_add(read as u64);
    }
}
