// What decides which tokens a cache keeps. One Policy per run; its parameters never change within the run.
//
// Two kinds. A *closed-form* policy only marks tokens: a marked token stays visible for `window` further
// steps and is then overwritten (DESIGN §1); the cache does the rest, in prefill and decode alike. A policy
// *without* closed form (TOVA, H2O, Quest, DMC) decides slot by slot: where each new token goes, which slots
// a query reads, and it may look at the attention that was paid. docs/policies.md shows how each of these
// fits.
//
// judge() and the slot hooks are called on the backend's threads: concurrently for different (sequence,
// layer), never for the same one.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "engine/cache/head_cache.hpp"
#include "engine/checkpoint/model.hpp"
#include "engine/events/events.hpp"
#include "engine/events/result.hpp"

namespace engine {

enum class PolicyKind : std::uint8_t { dense, dms, window, tova, h2o, quest, dmc, knorm };
const char* name_of(PolicyKind kind);
std::optional<PolicyKind> policy_named(std::string_view name);

// As the user gave them; absent values take the checkpoint's, or the policy's, default.
struct PolicyOptions {
  std::optional<PolicyKind> kind;  // absent: dms for a DMS checkpoint, dense otherwise
  std::optional<std::int32_t> window;
  std::optional<double> threshold;
  std::optional<double> target_cr;
  std::optional<std::int32_t> sinks;
};

struct PolicyFacts {
  PolicyKind kind = PolicyKind::dense;
  bool closed_form = true;
  std::int32_t window = 0;       // steps a marked token stays visible
  double threshold = 0;          // marked iff logit > threshold
  int lag = 0;                   // the logit computed at token t + lag judges token t
  std::int32_t sinks = 0;        // first tokens that are never marked
  double target_cr = 0;          // 0: none asked for. A threshold calibrated for it is in `threshold`
  bool reads_attention = false;  // wants observe() with the attention logits
  bool reads_keys = false;       // thresholds the keys: they are computed from float32 activations
  bool by_position = false;      // judge() looks at positions alone, and may be asked ahead of the pass
};

// What one pass computed in one layer of one sequence, for the positions [first_position, first_position +
// count).
struct JudgeInput {
  std::int32_t layer = 0;
  std::int32_t kv_heads = 0;
  std::int32_t head_dim = 0;
  std::int32_t first_position = 0;
  std::int32_t count = 0;
  const float* gates = nullptr;  // [kv_heads, count] the model's decision logits, or null if it has none
  std::int64_t gate_stride = 0;  // between KV heads
  const float* keys = nullptr;   // [count, kv_heads * head_dim] after RoPE, row stride key_stride
  std::int64_t key_stride = 0;
};

// Column i judges position first_position + i - lag; columns before position 0 are ignored.
struct Judgement {
  float* logits = nullptr;         // [kv_heads, count] what is reported; NaN: no logit
  std::uint8_t* marked = nullptr;  // [kv_heads, count] the decision, 0 or 1
};

// Where a new token goes.
struct Admission {
  enum class Kind : std::uint8_t { append, replace, merge } kind = Kind::append;
  std::int32_t slot = -1;  // replace, merge
  float blend = 0;         // merge: slot = (1 - blend) * slot + blend * token, keys and values alike
};

struct HeadRef {
  SequenceId sequence = 0;
  std::int32_t layer = 0;
  std::int32_t kv_head = 0;
};

struct SlotRange {
  std::int32_t begin = 0;
  std::int32_t end = 0;
};

class Policy {
 public:
  virtual ~Policy() = default;
  virtual const PolicyFacts& facts() const = 0;

  virtual void judge(const JudgeInput& input, const Judgement& out) const = 0;

  // Without closed form only. `head` is the cache before the token is there.
  virtual Admission admit(const HeadRef& ref, const HeadCache& head, std::int32_t position);
  // Slots the next query reads; appends nothing to read them all. `q` is [group, head_dim].
  virtual void select(const HeadRef& ref, const HeadCache& head, std::span<const float> q,
                      std::vector<SlotRange>& read);
  // The query's attention logits, [group, live] in slot order (reads_attention).
  virtual void observe(const HeadRef& ref, const HeadCache& head, std::span<const float> logits, int group);
  virtual void fork(SequenceId from, SequenceId to);
  virtual void end(SequenceId sequence);
};

// Options against the checkpoint: an option that has no meaning for the policy, a policy the checkpoint
// cannot run, or one that is not built yet, is an error. `target_cr` must have been turned into a threshold
// before (session/calibration.hpp), unless the policy has none.
Result<PolicyFacts> resolve_policy(const PolicyOptions& options, const Model& model);
std::unique_ptr<Policy> make_policy(const PolicyFacts& facts, const Model& model);

}  // namespace engine
