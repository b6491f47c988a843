// The one stream of events: what the engine tells the live view and the trace, and what replay tells again.
//
// Events are plain values, emitted in order on the engine's thread. Times are nanoseconds since the run's
// start on a steady clock; RunStarted::start_unix_ns ties them to the wall clock. A *step* is one engine pass
// (a prefill chunk, or one decode step of the batch). Arrays over heads are layer-major: index = layer *
// kv_heads + kv_head.
//
// profiling/ may include this folder and nothing else of the engine.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace engine {

using SequenceId = std::int32_t;
using TokenId = std::int32_t;
using Step = std::int64_t;

enum class Phase : std::uint8_t { prefill, decode };

struct ModelShape {
  std::int32_t layers = 0;
  std::int32_t query_heads = 0;
  std::int32_t kv_heads = 0;
  std::int32_t head_dim = 0;
  std::int32_t hidden = 0;
  std::int32_t vocab = 0;
  std::int32_t max_positions = 0;
};

// What was run, with what, on what. Everything a reader needs to interpret the events after it.
struct RunStarted {
  std::int64_t start_unix_ns = 0;
  std::string program_version;
  std::string model_name;    // folder name of the checkpoint
  std::string architecture;  // "llama", "qwen2", "qwen3"
  std::string weight_dtype;  // "bf16", "f16", "f32"
  ModelShape shape;

  std::string device;   // "cpu: AMD EPYC, avx512_bf16, 2 threads"
  std::string backend;  // "cpu", "cuda"

  std::string policy;       // "dense", "dms", "window", "knorm", ...
  bool closed_form = true;  // alive = t <= s and (s - t <= window or not marked), see docs/policies.md
  std::int32_t window = 0;  // steps a marked token stays visible
  double threshold = 0;     // marked iff logit > threshold
  std::int32_t lag = 0;     // the logit computed at token t + lag judges token t
  std::int32_t sinks = 0;
  double target_cr = 0;   // 0: none asked for
  std::string gate_form;  // "borrowed neuron", "adapter", "none"
  double alpha_scale = 0;
  double alpha_offset = 0;
  bool gates_per_layer = false;
  bool zero_after_rope = false;

  std::int32_t chains = 1;
  std::uint64_t seed = 0;
  double temperature = 0;
  double top_p = 1;
  std::int32_t top_k = 0;
  std::string prompt;  // as given, before the chat template

  std::int32_t page_slots = 0;          // slots in one page of a head's cache
  std::int64_t slot_bytes = 0;          // K and V of one slot of one head
  std::vector<std::string> operations;  // names that Span::operation indexes
  std::vector<std::string> kernels;     // names that Span::kernel indexes; KernelsNamed adds to them
};

// Kernels seen for the first time: their names follow those known so far.
struct KernelsNamed {
  std::vector<std::string> names;
};

// Lanes of the CPU, as Span::stream: what the engine's thread computes, the calls by which it hands work to a
// GPU, and what the profiler itself costs.
inline constexpr std::int32_t kEngineLane = 0;
inline constexpr std::int32_t kLaunchLane = 1;
inline constexpr std::int32_t kProfilerLane = 2;
inline constexpr std::int32_t kWholeDevice = -1;  // TrackNamed::stream: the device itself

// A device or one of its streams has this name: "NVIDIA H200", "decode", "launches".
struct TrackNamed {
  std::int16_t device = 0;  // as in Span
  std::int32_t stream = kWholeDevice;
  std::string name;
};

// A sequence begins, empty or as a continuation of its parent's first `fork_position` tokens.
struct SequenceStarted {
  SequenceId sequence = 0;
  SequenceId parent = -1;
  std::int32_t fork_position = 0;
};

// A token takes its place in a sequence. Texts of consecutive tokens concatenate to valid UTF-8: a token that
// ends inside a character has the character's text on the token that completes it.
struct TokenAdded {
  SequenceId sequence = 0;
  std::int32_t position = 0;
  TokenId id = 0;
  std::string text;
  Phase phase = Phase::prefill;  // prefill: given; decode: sampled
  Step step = -1;                // the step that processes it; -1 for a last token that is never processed
};

// Decision logits of one pass over one sequence, for the judged positions
// [first_position, first_position + count). All layers at once.
struct GatesDecided {
  SequenceId sequence = 0;
  std::int32_t first_position = 0;
  std::int32_t count = 0;
  Step step = 0;
  std::vector<float> logits;         // [layers, kv_heads, count], NaN where the policy has no logit
  std::vector<std::uint8_t> marked;  // [layers, kv_heads, count], 0 or 1: the decision as executed
};

struct EvictedToken {
  std::int32_t layer = 0;
  std::int32_t kv_head = 0;
  std::int32_t position = 0;
};

// Evictions of a policy that has no closed form. Closed-form policies emit none: theirs follow from the
// gates.
struct TokensEvicted {
  SequenceId sequence = 0;
  Step step = 0;
  std::vector<EvictedToken> tokens;
};

// Cache state of one sequence after a step, in slots per (layer, KV head).
struct OccupancyChanged {
  SequenceId sequence = 0;
  Step step = 0;
  std::vector<std::int32_t> live;       // slots that hold a visible token
  std::vector<std::int32_t> allocated;  // slots of the pages held
};

struct StepFinished {
  Step step = 0;
  Phase phase = Phase::prefill;
  std::int64_t start_ns = 0;
  std::int64_t end_ns = 0;
  std::int32_t tokens = 0;    // tokens processed, all sequences together
  std::int64_t kv_reads = 0;  // slots read by attention, summed over queries, layers and KV heads
};

// One timed operation: a GPU kernel, copy or graph, one CPU operation of one layer, or a call that launches.
// Those of a GPU become known some time after their step has finished.
struct Span {
  std::int64_t start_ns = 0;
  std::int64_t end_ns = 0;
  Step step = 0;            // -1: belongs to no step, or to one that is not known
  std::int16_t layer = -1;  // -1: not inside a layer (embedding, head, sampling)
  std::int16_t operation = 0;
  std::int16_t kernel = 0;
  std::int16_t device = -1;  // -1: the CPU; otherwise the GPU's index
  std::int32_t stream = 0;   // GPU stream; CPU: kEngineLane, kLaunchLane, kProfilerLane
  std::int32_t graph = -1;   // number of the graph that launched it; -1: none
  std::int64_t bytes = 0;    // that it must move at least, read and written; 0: not known
};

struct SpansRecorded {
  std::vector<Span> spans;
};

// A quantity over time that belongs to no step: memory, power, clocks, utilisation.
struct CounterSample {
  std::int16_t device = -1;  // as in Span
  std::string track;         // "memory used"
  std::string unit;          // "bytes", "W", "MHz", "%"
  std::int64_t time_ns = 0;
  double value = 0;
};

struct CountersSampled {
  std::vector<CounterSample> samples;
};

// Profiling records that were lost, or could not be used, by the end of this event; counts only grow.
struct RecordsLost {
  std::string what;  // a word: "unattributed", "untimed", "refused_buffers"
  std::int64_t count = 0;
  std::string meaning;  // for people
};

// A run parameter took this value at this step (policy, threshold and window are fixed within a run).
struct ParameterChanged {
  Step step = 0;
  std::string name;
  std::string value;
};

// A quality measure of one position against the dense model, e.g. "kl" or "top1".
struct QualityMeasured {
  SequenceId sequence = 0;
  std::int32_t position = 0;
  std::string measure;
  double value = 0;
};

// Something the user should read: a fall-back with its reason, a dropped feature.
struct Notice {
  std::string text;
};

struct RunFinished {
  std::int64_t end_ns = 0;
  std::string reason;  // "eos", "length", "interrupted", or an error's text
};

using Event = std::variant<RunStarted, SequenceStarted, TokenAdded, GatesDecided, TokensEvicted,
                           OccupancyChanged, StepFinished, SpansRecorded, ParameterChanged, QualityMeasured,
                           Notice, RunFinished, KernelsNamed, TrackNamed, CountersSampled, RecordsLost>;

// Receives events on the engine's thread. Must return quickly: real work belongs on the receiver's own
// thread.
class EventSink {
 public:
  virtual ~EventSink() = default;
  virtual void on_event(Event event) = 0;
};

}  // namespace engine
