//! The lines that the programs write, by number: the n-th line of a log is always the same line.

use super::training::Training;

/// Who speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Voice {
    ModelServer,
    LlmServer,
    Service,
    Queue,
    Trainer,
    Batch,
    /// Agents, controllers, databases: everything from outside the platform.
    Agent,
    CrashMissingTokenizer,
    CrashGpuMemory,
}

impl Voice {
    /// What is said once, right after the start.
    pub fn opening(self) -> &'static [&'static str] {
        match self {
            Voice::ModelServer => &[
                "INFO  server: starting, pid 1, 8 workers",
                "INFO  loader: fetching model artifact from object store",
                "INFO  loader: sha256 verified, 214 MiB in 3.1 s",
                "INFO  runtime: CUDA 12.4, driver 550.90.07, 1 device visible",
                "INFO  server: warm-up of 16 batches done, p50 7.9 ms",
                "INFO  server: ready, listening on 0.0.0.0:8080, metrics on :9090",
            ],
            Voice::LlmServer => &[
                "INFO engine: initializing with tensor_parallel_size=2, dtype=bfloat16, max_model_len=8192",
                "INFO weights: loading safetensors shard 1/4",
                "INFO weights: loading safetensors shard 4/4, took 9.8 s",
                "INFO cache: 2,214 GPU blocks, 512 CPU blocks",
                "INFO server: uvicorn running on http://0.0.0.0:8000",
            ],
            Voice::Service => {
                &["INFO starting", "INFO configuration loaded from /etc/config", "INFO listening on :8080"]
            }
            Voice::Queue => {
                &["INFO consumer: connected, group batch-scorer", "INFO consumer: assigned 6 partitions"]
            }
            Voice::Trainer => &[
                "INFO torch.distributed: backend nccl, rendezvous complete",
                "INFO data: 1,281,167 samples in 1,024 shards, streaming",
                "INFO model: 334.1 M parameters, bf16 autocast, gradient checkpointing on",
                "INFO trainer: no checkpoint found, starting from scratch",
            ],
            Voice::Batch => {
                &["INFO job: started", "INFO input: listing objects", "INFO input: 412 objects, 38.2 GiB"]
            }
            Voice::Agent => &["I level=info msg=\"starting\"", "I level=info msg=\"caches synced\""],
            Voice::CrashMissingTokenizer => &[
                "INFO  server: starting, pid 1, 4 workers",
                "INFO  loader: fetching model artifact from object store",
                "ERROR loader: tokenizer.json is not in the artifact",
                "Traceback (most recent call last):",
                "  File \"/app/server.py\", line 88, in <module>",
                "    main()",
                "  File \"/app/server.py\", line 41, in main",
                "    tokenizer = Tokenizer.from_file(artifact / \"tokenizer.json\")",
                "FileNotFoundError: [Errno 2] No such file or directory: '/models/reranker/tokenizer.json'",
            ],
            Voice::CrashGpuMemory => &[
                "INFO torch.distributed: backend nccl, rendezvous complete",
                "INFO model: 6.7 B parameters, bf16 autocast, gradient checkpointing off",
                "INFO trainer: no checkpoint found, starting from scratch",
                "Traceback (most recent call last):",
                "  File \"/app/train.py\", line 212, in train_step",
                "    loss.backward()",
                "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.50 GiB. GPU 0 has a total capacity of \
                 39.38 GiB of which 1.19 GiB is free.",
            ],
        }
    }

    /// Milliseconds between lines after the opening; `None`: silence.
    pub fn period_millis(self) -> Option<i64> {
        match self {
            Voice::ModelServer | Voice::Batch => Some(1_500),
            Voice::LlmServer | Voice::Trainer => Some(5_000),
            Voice::Service | Voice::Queue => Some(3_000),
            Voice::Agent => Some(30_000),
            Voice::CrashMissingTokenizer | Voice::CrashGpuMemory => None,
        }
    }

    /// A line after the opening; `millis` is the time since the start.
    pub fn line(self, seed: u64, number: i64, millis: i64, training: &Training) -> String {
        let dice = hash(&[&number.to_string()]) ^ seed;
        let pick = |low: u64, high: u64, salt: u32| low + dice.rotate_left(salt) % (high - low);
        match self {
            Voice::ModelServer => {
                let (model, code) = (["resnet", "bert", "clip"][pick(0, 3, 5) as usize], 200);
                if pick(0, 60, 9) == 0 {
                    return format!("WARN  batcher: queue depth {} above 32, latency rises", pick(33, 80, 2));
                }
                let (size, time) = (pick(1, 33, 1), pick(6, 42, 13));
                format!(
                    "INFO  predict: model={model} batch={size} status={code} took={time}ms id={:08x}",
                    dice as u32
                )
            }
            Voice::LlmServer => format!(
                "INFO metrics: running {} reqs, waiting {} reqs, prompt throughput {}.{} tokens/s, generation throughput \
                 {}.{} tokens/s, GPU KV cache usage {}.{}%",
                pick(2, 40, 1),
                pick(0, 6, 3),
                pick(300, 2_400, 5),
                pick(0, 10, 7),
                pick(400, 1_900, 11),
                pick(0, 10, 13),
                pick(8, 81, 17),
                pick(0, 10, 19)
            ),
            Voice::Trainer | Voice::CrashGpuMemory | Voice::CrashMissingTokenizer => {
                let step = training.step_after(millis);
                format!(
                    "INFO trainer: step {step}/{} loss {:.4} lr {:.2e} samples/s {:.0} grad_norm {}.{:02}",
                    training.steps,
                    training.loss(step),
                    training.learning_rate(step),
                    training.samples_per_second(step),
                    pick(0, 3, 3),
                    pick(0, 100, 23)
                )
            }
            Voice::Service => {
                let (method, path) = [
                    ("GET", "/v1/features/user"),
                    ("GET", "/v1/models"),
                    ("POST", "/v1/route"),
                    ("GET", "/healthz"),
                ][pick(0, 4, 5) as usize];
                format!("INFO {method} {path} 200 {}ms", pick(1, 30, 9))
            }
            Voice::Queue => {
                format!("INFO consumer: committed offset {}, lag {}", 48_000 + number * 64, pick(0, 900, 7))
            }
            Voice::Batch => {
                format!("INFO job: processed {} of 412 objects", (number + 1) * 8 % 412)
            }
            Voice::Agent => format!(
                "I level=info msg=\"sync done\" objects={} took={}ms",
                pick(10, 400, 3),
                pick(1, 90, 9)
            ),
        }
    }
}

/// A number from texts, the same on every machine: FNV-1a, and its bits well mixed.
pub fn hash(parts: &[&str]) -> u64 {
    let mut state: u64 = 0xcbf2_9ce4_8422_2325;
    for byte in parts.iter().flat_map(|part| part.bytes().chain([0xff])) {
        state = (state ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    state ^ (state >> 31)
}
