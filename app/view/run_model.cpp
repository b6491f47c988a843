#include "app/view/run_model.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <map>
#include <mutex>
#include <numeric>
#include <utility>

#include "app/view/run_store.hpp"
#include "app/view/saturating.hpp"

namespace app::view {

namespace {

// Far above any head's K and V; below it, bytes of any cache fit 64 bits.
constexpr std::int64_t kMaxSlotBytes = 1 << 17;

// More heads than any model has: above it a shape is nonsense, and a block of decisions would be huge.
constexpr std::int64_t kMaxHeads = 16384;

// Kinds of losses: far above those there are, so that a damaged trace cannot make them many.
constexpr std::size_t kMaxLossKinds = 64;

std::int32_t head_count(const engine::ModelShape& shape) {
  const std::int64_t heads = std::int64_t{shape.layers} * shape.kv_heads;
  return shape.layers > 0 && shape.kv_heads > 0 && heads <= kMaxHeads ? static_cast<std::int32_t>(heads) : 0;
}

// Times of a damaged trace must not overflow what is computed from them: 36 years are enough.
std::int64_t in_range(std::int64_t ns) {
  return std::clamp<std::int64_t>(ns, 0, std::int64_t{1} << 60);
}

std::uint64_t next_run_id() {
  static std::atomic<std::uint64_t> last{0};
  return ++last;
}

std::int64_t sum(const std::vector<std::int32_t>& slots) {
  return std::accumulate(slots.begin(), slots.end(), std::int64_t{0});
}

}  // namespace

// `next` is the snapshot to come: written by one thread and under the lock, so that this thread itself reads
// it without.
struct RunModel::State {
  explicit State(const RunModelOptions& given)
      : options(given), spans(given.max_spans), store(std::make_shared<RunStore>()) {
    next.store_ = store;
  }

  void take(engine::RunStarted& run);
  void take(const engine::SequenceStarted& started);
  void take(const engine::TokenAdded& added);
  void take(const engine::GatesDecided& gates);
  void take(const engine::TokensEvicted& evicted);
  void take(const engine::OccupancyChanged& changed);
  void take(const engine::StepFinished& step);
  void take(engine::SpansRecorded& recorded);
  void take(engine::ParameterChanged& parameter);
  void take(const engine::QualityMeasured& quality);
  void take(engine::Notice& notice);
  void take(engine::RunFinished& finished);
  void take(engine::KernelsNamed& named);
  void take(engine::TrackNamed& named);
  void take(engine::CountersSampled& sampled);
  void take(engine::RecordsLost& lost);

  template <typename Change>
  void publish(const Change& change) {
    const std::lock_guard lock(mutex);
    change(next);
    ++next.version_;
  }
  void ignore() {
    publish([](RunSnapshot& s) { ++s.ignored_; });
  }
  // Index of a sequence, or -1.
  std::ptrdiff_t find(engine::SequenceId id) const {
    const auto found = indices.find(id);
    return found != indices.end() ? found->second : -1;
  }
  const SequenceView& view(std::ptrdiff_t index) const {
    return next.sequences_[static_cast<std::size_t>(index)];
  }
  SequenceStore& writable(std::ptrdiff_t index) { return *store->sequences[static_cast<std::size_t>(index)]; }
  std::int32_t processed_after(const SequenceView& sequence, engine::Step step) const;
  void inherit(const SequenceView& parent, const SequenceStore& from, SequenceView& child, SequenceStore& to);
  void inherit_gates(const SequenceStore& from, std::int32_t judged, SequenceStore& to);
  void append_gates(const engine::GatesDecided& gates, std::int32_t begin, std::int32_t end,
                    SequenceStore& to);
  std::int32_t measure_index(const std::string& name);

  const RunModelOptions options;
  SpanLog spans;
  CounterLog counters;
  std::shared_ptr<RunStore> store;
  std::map<engine::SequenceId, std::ptrdiff_t> indices;
  std::map<std::string, std::int32_t> measure_indices;

  mutable std::mutex mutex;
  RunSnapshot next;
  mutable std::shared_ptr<const RunSnapshot> last;  // the one handed out
};

RunModel::RunModel(RunModelOptions options) : state_(std::make_unique<State>(options)) {}
RunModel::~RunModel() = default;

void RunModel::on_event(engine::Event event) {
  std::visit([this](auto& e) { state_->take(e); }, event);
}

std::shared_ptr<const RunSnapshot> RunModel::snapshot() const {
  const std::lock_guard lock(state_->mutex);
  if (!state_->last || state_->last->version_ != state_->next.version_) {
    state_->last = std::make_shared<const RunSnapshot>(state_->next);
  }
  return state_->last;
}

// --- the run
// ------------------------------------------------------------------------------------------------

void RunModel::State::take(engine::RunStarted& run) {
  auto started = std::make_shared<RunStore>();
  started->run = std::move(run);
  started->heads = head_count(started->run.shape);
  if (started->heads == 0) started->run.shape.layers = started->run.shape.kv_heads = 0;
  started->run.slot_bytes = std::clamp<std::int64_t>(started->run.slot_bytes, 0, kMaxSlotBytes);
  spans = SpanLog(options.max_spans);
  counters = CounterLog();
  indices.clear();
  measure_indices.clear();
  RunSnapshot fresh;
  fresh.store_ = started;
  fresh.run_id_ = next_run_id();
  const std::shared_ptr<RunStore> before =
      std::exchange(store, std::move(started));  // freed outside the lock
  publish([&](RunSnapshot& s) {
    fresh.version_ = s.version_;
    std::swap(s, fresh);
  });
}

void RunModel::State::take(engine::ParameterChanged& parameter) {
  store->parameters.append(std::move(parameter));
  publish([](RunSnapshot& s) { ++s.parameters_; });
}

void RunModel::State::take(engine::Notice& notice) {
  store->notices.append(std::move(notice.text));
  publish([](RunSnapshot& s) { ++s.notices_; });
}

void RunModel::State::take(engine::RunFinished& finished) {
  publish([&](RunSnapshot& s) {
    s.last_ns_ = std::max(s.last_ns_, finished.end_ns);
    s.finished_ = std::move(finished);
  });
}

void RunModel::State::take(engine::KernelsNamed& named) {
  for (std::string& name : named.names) store->kernels.append(std::move(name));
  publish([&](RunSnapshot& s) { s.kernels_ += static_cast<std::int32_t>(named.names.size()); });
}

void RunModel::State::take(engine::TrackNamed& named) {
  store->tracks.append(std::move(named));
  publish([](RunSnapshot& s) { ++s.tracks_; });
}

void RunModel::State::take(engine::CountersSampled& sampled) {
  bool all_fit = true;
  for (engine::CounterSample& sample : sampled.samples) {
    sample.time_ns = in_range(sample.time_ns);
    all_fit = counters.append(sample) && all_fit;
  }
  publish([&](RunSnapshot& s) {
    s.counters_ = counters.tracks();
    s.ignored_ += all_fit ? 0 : 1;
  });
}

// Totals grow several times a second, the kinds are a handful.
void RunModel::State::take(engine::RecordsLost& lost) {
  std::vector<engine::RecordsLost> losses = next.losses();
  const auto known = std::find_if(losses.begin(), losses.end(),
                                  [&](const engine::RecordsLost& each) { return each.what == lost.what; });
  if (known == losses.end() && losses.size() >= kMaxLossKinds) return ignore();
  if (known != losses.end()) {
    *known = std::move(lost);
  } else {
    losses.push_back(std::move(lost));
  }
  auto shared = std::make_shared<const std::vector<engine::RecordsLost>>(std::move(losses));
  publish([&](RunSnapshot& s) { s.losses_ = std::move(shared); });
}

std::int32_t RunModel::State::measure_index(const std::string& name) {
  const auto [entry, added] = measure_indices.try_emplace(name, next.measures_);
  if (added) store->measures.append(name);
  return entry->second;
}

void RunModel::State::take(const engine::QualityMeasured& quality) {
  const std::int32_t measure = measure_index(quality.measure);
  store->quality.append({quality.sequence, quality.position, measure, quality.value});
  publish([&](RunSnapshot& s) {
    s.measures_ = std::max(s.measures_, measure + 1);
    ++s.quality_;
  });
}

// --- steps
// --------------------------------------------------------------------------------------------------

void RunModel::State::take(const engine::StepFinished& step) {
  if (next.steps_ > 0 && next.step(next.steps_ - 1).step >= step.step) return ignore();
  const std::int64_t start_ns = in_range(step.start_ns);
  const std::int64_t end_ns = std::max(start_ns, in_range(step.end_ns));
  store->steps.append({step.step, step.phase, step.tokens, start_ns, end_ns, step.kv_reads});
  publish([&](RunSnapshot& s) {
    ++s.steps_;
    s.last_ns_ = std::max(s.last_ns_, end_ns);
    add_saturating(s.kv_reads_, step.kv_reads);
    for (SequenceView& sequence : s.sequences_) sequence.processed_ = processed_after(sequence, step.step);
  });
}

void RunModel::State::take(engine::SpansRecorded& recorded) {
  if (recorded.spans.empty()) return;
  for (engine::Span& span : recorded.spans) {
    span.start_ns = in_range(span.start_ns);
    span.end_ns = std::max(span.start_ns, in_range(span.end_ns));
  }
  spans.append(recorded.spans);
  publish([&](RunSnapshot& s) { s.spans_ = spans.view(); });
}

// --- sequences and their tokens
// -----------------------------------------------------------------------------

void RunModel::State::take(const engine::SequenceStarted& started) {
  const std::ptrdiff_t parent = started.parent < 0 ? -1 : find(started.parent);
  const bool is_fork = started.parent >= 0;
  if (find(started.sequence) >= 0 || started.fork_position < 0) return ignore();
  if (is_fork && (parent < 0 || started.fork_position > view(parent).tokens_)) return ignore();

  auto fresh = std::make_unique<SequenceStore>();
  fresh->id = started.sequence;
  fresh->parent = is_fork ? started.parent : -1;
  fresh->fork_position = is_fork ? started.fork_position : 0;
  fresh->records_evictions = !store->run.closed_form;
  SequenceView sequence;
  sequence.store_ = fresh.get();
  if (is_fork) inherit(view(parent), writable(parent), sequence, *fresh);
  indices[started.sequence] = static_cast<std::ptrdiff_t>(store->sequences.size());
  store->sequences.push_back(std::move(fresh));
  publish([&](RunSnapshot& s) { s.sequences_.push_back(sequence); });
}

// The first fork_position positions of the parent become the child's own first ones, so that nobody who reads
// has to follow a line of ancestors.
void RunModel::State::inherit(const SequenceView& parent, const SequenceStore& from, SequenceView& child,
                              SequenceStore& to) {
  const std::int32_t fork = to.fork_position;
  for (std::int32_t position = 0; position < fork; ++position) to.tokens.append(parent.token(position));
  child.tokens_ = fork;
  child.processed_ = std::min(parent.processed_, fork);
  // Position fork - lag is judged by the token that the child puts at `fork`.
  child.judged_ = std::min(parent.judged_, std::max(0, fork - std::max(0, store->run.lag)));
  inherit_gates(from, child.judged_, to);
  for (std::size_t chunk = 0; chunk < from.evictions.size(); ++chunk) {
    to.evictions.append(std::make_shared<EvictionChunk>(*from.evictions[chunk], store->heads));
  }
  while (child.occupancy_ < parent.occupancy_ && parent.occupancy(child.occupancy_).position < fork) {
    to.occupancy.append(parent.occupancy(child.occupancy_++));
  }
}

void RunModel::State::inherit_gates(const SequenceStore& from, std::int32_t judged, SequenceStore& to) {
  const std::int32_t full = judged / kChunkTokens;
  for (std::int32_t chunk = 0; chunk < full; ++chunk)
    to.gates.append(from.gates[static_cast<std::size_t>(chunk)]);
  const std::int32_t rest = judged % kChunkTokens;
  if (rest == 0) return;
  auto copy = std::make_shared<GateChunk>(store->heads);
  copy->copy(*from.gates[static_cast<std::size_t>(full)], store->heads, rest);
  to.gates.append(std::move(copy));
}

void RunModel::State::take(const engine::TokenAdded& added) {
  const std::ptrdiff_t index = find(added.sequence);
  if (index < 0 || added.position != view(index).tokens_) return ignore();
  if (added.position > 0) {
    const engine::Step before = view(index).token(added.position - 1).step;
    const bool follows = before >= 0 && (added.step < 0 || added.step >= before);
    if (!follows) return ignore();
  }
  SequenceStore& sequence = writable(index);
  sequence.tokens.append(
      {store->texts.keep(added.text), added.id, added.phase, std::max<engine::Step>(-1, added.step)});
  if (sequence.records_evictions &&
      static_cast<std::size_t>(added.position / kChunkTokens) == sequence.evictions.size()) {
    sequence.evictions.append(std::make_shared<EvictionChunk>(store->heads));
  }
  publish([&](RunSnapshot& s) { ++s.sequences_[static_cast<std::size_t>(index)].tokens_; });
}

std::int32_t RunModel::State::processed_after(const SequenceView& sequence, engine::Step step) const {
  std::int32_t processed = sequence.processed_;
  while (processed < sequence.tokens_) {
    const engine::Step processed_in = sequence.token(processed).step;
    if (processed_in < 0 || processed_in > step) break;
    ++processed;
  }
  return processed;
}

// --- the cache
// ----------------------------------------------------------------------------------------------

void RunModel::State::take(const engine::GatesDecided& gates) {
  const std::ptrdiff_t index = find(gates.sequence);
  const std::int64_t end = std::int64_t{gates.first_position} + gates.count;
  if (index < 0 || gates.count <= 0 || store->heads == 0 || gates.first_position < 0) return ignore();
  const auto cells = static_cast<std::size_t>(store->heads) * static_cast<std::size_t>(gates.count);
  const std::int32_t judged = view(index).judged_;
  if (gates.logits.size() != cells || gates.marked.size() != cells || gates.first_position > judged ||
      end <= judged || end > view(index).tokens_) {
    return ignore();
  }
  append_gates(gates, judged, static_cast<std::int32_t>(end), writable(index));
  publish([&](RunSnapshot& s) {
    s.sequences_[static_cast<std::size_t>(index)].judged_ = static_cast<std::int32_t>(end);
  });
}

// The decisions of positions [begin, end), chunk by chunk.
void RunModel::State::append_gates(const engine::GatesDecided& gates, std::int32_t begin, std::int32_t end,
                                   SequenceStore& to) {
  for (std::int32_t position = begin; position < end;) {
    const std::int32_t offset = position % kChunkTokens;
    const auto count = static_cast<std::size_t>(std::min(end - position, kChunkTokens - offset));
    const auto chunk = static_cast<std::size_t>(position / kChunkTokens);
    if (chunk == to.gates.size()) to.gates.append(std::make_shared<GateChunk>(store->heads));
    for (std::int32_t head = 0; head < store->heads; ++head) {
      const std::size_t first = static_cast<std::size_t>(head) * static_cast<std::size_t>(gates.count) +
                                static_cast<std::size_t>(position - gates.first_position);
      to.gates[chunk]->append(head, offset, std::span(gates.logits).subspan(first, count),
                              std::span(gates.marked).subspan(first, count));
    }
    position += static_cast<std::int32_t>(count);
  }
}

void RunModel::State::take(const engine::TokensEvicted& evicted) {
  const std::ptrdiff_t index = find(evicted.sequence);
  if (index < 0 || store->run.closed_form || store->heads == 0) return ignore();
  const std::int32_t position = processed_after(view(index), evicted.step) - 1;
  SequenceStore& sequence = writable(index);
  bool fits = true;
  for (const engine::EvictedToken& token : evicted.tokens) {
    const engine::ModelShape& shape = store->run.shape;
    if (token.layer < 0 || token.layer >= shape.layers || token.kv_head < 0 ||
        token.kv_head >= shape.kv_heads || token.position < 0 || token.position > position) {
      fits = false;
      continue;
    }
    EvictionChunk& chunk = *sequence.evictions[static_cast<std::size_t>(token.position / kChunkTokens)];
    const std::int32_t head = token.layer * shape.kv_heads + token.kv_head;
    const std::int32_t offset = token.position % kChunkTokens;
    if (chunk.at(head, offset) == kNeverEvicted) chunk.set(head, offset, position);
  }
  if (!fits) return ignore();
  publish([](RunSnapshot&) {});
}

void RunModel::State::take(const engine::OccupancyChanged& changed) {
  const std::ptrdiff_t index = find(changed.sequence);
  const auto heads = static_cast<std::size_t>(store->heads);
  if (index < 0 || heads == 0 || changed.live.size() != heads || changed.allocated.size() != heads)
    return ignore();
  const SequenceView& sequence = view(index);
  const std::int32_t processed = processed_after(sequence, changed.step);
  const bool follows =
      sequence.occupancy_ == 0 || sequence.occupancy(sequence.occupancy_ - 1).position < processed - 1;
  if (processed == 0 || !follows || sequence.token(processed - 1).step > changed.step) return ignore();

  SequenceStore& to = writable(index);
  if (to.open_block == nullptr || !to.open_block->append(changed.live, changed.allocated)) {
    store->blocks.push_back(std::make_unique<OccupancyBlock>(changed.live, changed.allocated));
    to.open_block = store->blocks.back().get();
  }
  to.occupancy.append({changed.step, processed - 1, to.open_block->states() - 1, sum(changed.live),
                       sum(changed.allocated), to.open_block});
  publish([&](RunSnapshot& s) {
    SequenceView& published = s.sequences_[static_cast<std::size_t>(index)];
    ++published.occupancy_;
    published.processed_ = processed;
  });
}

// --- memory
// -------------------------------------------------------------------------------------------------

std::size_t RunModel::bytes() const {
  const RunStore& store = *state_->store;
  const auto heads = static_cast<std::size_t>(store.heads);
  const std::size_t chunk = heads * (kChunkTokens * sizeof(float) + kChunkWords * sizeof(std::uint64_t));
  std::size_t bytes = store.texts.bytes() + store.steps.bytes() + store.quality.bytes();
  for (const auto& block : store.blocks) bytes += block->bytes();
  for (const auto& sequence : store.sequences) {
    bytes += sequence->tokens.bytes() + sequence->occupancy.bytes();
    bytes += sequence->evictions.size() * heads * kChunkTokens * sizeof(std::int32_t);
    const std::size_t shared = static_cast<std::size_t>(sequence->fork_position) / kChunkTokens;
    bytes += (sequence->gates.size() - std::min(sequence->gates.size(), shared)) * chunk;
  }
  return bytes + state_->counters.bytes() + state_->spans.view().size() * sizeof(engine::Span);
}

}  // namespace app::view
