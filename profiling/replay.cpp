#include "profiling/replay.hpp"

#include <map>

#include "profiling/byte_codec.hpp"
#include "profiling/event_log.hpp"
#include "profiling/gate_stream.hpp"
#include "profiling/occupancy_stream.hpp"

namespace profiling {
namespace {

engine::Phase phase_of(std::int64_t stored) {
  return stored == 0 ? engine::Phase::prefill : engine::Phase::decode;
}

class Replay {
 public:
  Replay(const Database& db, const engine::RunStarted& run, engine::EventSink& sink);
  engine::Status emit_all();

 private:
  engine::Status emit(const EventLogEntry& entry);
  engine::Status emit_sequence();
  engine::Status emit_token();
  engine::Status emit_evicted();
  engine::Status emit_occupancy(std::int64_t sequence);
  engine::Status emit_step();
  engine::Status emit_spans(std::int64_t count);
  engine::Status emit_parameter();
  engine::Status emit_quality();
  engine::Status emit_notice();
  engine::Status emit_finished();

  engine::Status read_span_kinds();
  engine::Status next(Statement& rows, const char* what);
  engine::Error damaged(const char* what) const {
    return engine::bad_input("trace '{}': damaged ({})", db_.trace(), what);
  }
  static std::int32_t small(const Statement& row, int column) {
    return static_cast<std::int32_t>(row.integer(column));
  }

  const Database& db_;
  const engine::RunStarted& run_;
  engine::EventSink& sink_;
  EventLogCodec log_;
  GateStream gates_;
  OccupancyStream occupancy_;
  std::map<std::int64_t, engine::Span> span_kinds_;
  Statement sequences_, tokens_, evicted_, steps_, spans_, parameters_, quality_, notices_;
};

Replay::Replay(const Database& db, const engine::RunStarted& run, engine::EventSink& sink)
    : db_(db),
      run_(run),
      sink_(sink),
      gates_(db, run),
      occupancy_(db, run),
      sequences_(db.prepare("SELECT sequence, parent, fork_position FROM raw_sequences ORDER BY id")),
      tokens_(db.prepare("SELECT t.sequence, t.position, t.token, s.text, t.phase, t.step FROM raw_tokens t "
                         "LEFT JOIN strings s ON s.id = t.text ORDER BY t.id")),
      evicted_(db.prepare("SELECT sequence, step, tokens FROM raw_evictions ORDER BY id")),
      steps_(db.prepare(
          "SELECT step, phase, start_ns, duration_ns, tokens, kv_reads FROM raw_steps ORDER BY id")),
      spans_(db.prepare("SELECT start_ns, duration_ns, step, kind FROM raw_spans ORDER BY id")),
      parameters_(db.prepare("SELECT step, name, value FROM raw_parameters ORDER BY id")),
      quality_(db.prepare("SELECT q.sequence, q.position, s.text, q.value FROM raw_quality q "
                          "LEFT JOIN strings s ON s.id = q.measure ORDER BY q.id")),
      notices_(db.prepare("SELECT text FROM raw_notices ORDER BY id")) {}

engine::Status Replay::emit_all() {
  if (const auto status = read_span_kinds(); !status) return status;
  Statement transactions = db_.prepare("SELECT events FROM event_log ORDER BY id");
  while (transactions.step()) {
    const BlobView events = transactions.blob(0);
    std::size_t at = 0;
    while (at < events.size()) {
      EventLogEntry entry;
      if (!log_.decode(events, at, entry)) return damaged("its event log cannot be read");
      if (const auto status = emit(entry); !status) return status;
    }
  }
  return transactions.status();
}

engine::Status Replay::emit(const EventLogEntry& entry) {
  switch (entry.kind) {
    case EventKind::run_started:
      sink_.on_event(run_);
      return {};
    case EventKind::sequence_started:
      return emit_sequence();
    case EventKind::token_added:
      return emit_token();
    case EventKind::gates_decided: {
      auto gates = gates_.take(entry);
      if (!gates) return gates.error();
      sink_.on_event(std::move(*gates));
      return {};
    }
    case EventKind::tokens_evicted:
      return emit_evicted();
    case EventKind::occupancy_changed:
      return emit_occupancy(entry.sequence);
    case EventKind::step_finished:
      return emit_step();
    case EventKind::spans_recorded:
      return emit_spans(entry.count);
    case EventKind::parameter_changed:
      return emit_parameter();
    case EventKind::quality_measured:
      return emit_quality();
    case EventKind::notice:
      return emit_notice();
    case EventKind::run_finished:
      return emit_finished();
  }
  return damaged("an event of an unknown kind");
}

engine::Status Replay::next(Statement& rows, const char* what) {
  if (rows.step()) return {};
  if (const auto status = rows.status(); !status) return status;
  return damaged(what);
}

engine::Status Replay::emit_sequence() {
  if (const auto status = next(sequences_, "a sequence is missing"); !status) return status;
  sink_.on_event(engine::SequenceStarted{small(sequences_, 0), small(sequences_, 1), small(sequences_, 2)});
  return {};
}

engine::Status Replay::emit_token() {
  if (const auto status = next(tokens_, "a token is missing"); !status) return status;
  sink_.on_event(engine::TokenAdded{small(tokens_, 0), small(tokens_, 1), small(tokens_, 2),
                                    std::string(tokens_.text(3)), phase_of(tokens_.integer(4)),
                                    tokens_.integer(5)});
  return {};
}

engine::Status Replay::emit_evicted() {
  if (const auto status = next(evicted_, "an eviction is missing"); !status) return status;
  const BlobView tokens = evicted_.blob(2);
  engine::TokensEvicted evicted{small(evicted_, 0), evicted_.integer(1), {}};
  for (std::size_t at = 0; at + 8 <= tokens.size(); at += 8) {
    evicted.tokens.push_back({static_cast<std::int32_t>(get_u16(tokens, at)),
                              static_cast<std::int32_t>(get_u16(tokens, at + 2)),
                              static_cast<std::int32_t>(get_u32(tokens, at + 4))});
  }
  sink_.on_event(std::move(evicted));
  return {};
}

engine::Status Replay::emit_occupancy(std::int64_t sequence) {
  const auto next_state = occupancy_.next(sequence);
  if (!next_state) return next_state.error();
  if (next_state->state == nullptr) return damaged("a cache state is missing");
  sink_.on_event(engine::OccupancyChanged{static_cast<engine::SequenceId>(sequence), next_state->step,
                                          next_state->state->live, next_state->state->allocated});
  return {};
}

// Hostile times must not overflow.
std::int64_t plus(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
}

engine::Status Replay::emit_step() {
  if (const auto status = next(steps_, "a step is missing"); !status) return status;
  sink_.on_event(engine::StepFinished{steps_.integer(0), phase_of(steps_.integer(1)), steps_.integer(2),
                                      plus(steps_.integer(2), steps_.integer(3)), small(steps_, 4),
                                      steps_.integer(5)});
  return {};
}

engine::Status Replay::read_span_kinds() {
  Statement kinds = db_.prepare("SELECT id, layer, operation, kernel, device, stream FROM span_kinds");
  while (kinds.step()) {
    engine::Span span;
    span.layer = static_cast<std::int16_t>(kinds.integer(1));
    span.operation = static_cast<std::int16_t>(kinds.integer(2));
    span.kernel = static_cast<std::int16_t>(kinds.integer(3));
    span.device = static_cast<std::int16_t>(kinds.integer(4));
    span.stream = small(kinds, 5);
    span_kinds_[kinds.integer(0)] = span;
  }
  return kinds.status();
}

engine::Status Replay::emit_spans(std::int64_t count) {
  engine::SpansRecorded recorded;
  for (std::int64_t i = 0; i < count; ++i) {
    if (const auto status = next(spans_, "a span is missing"); !status) return status;
    const auto kind = span_kinds_.find(spans_.integer(3));
    if (kind == span_kinds_.end()) return damaged("a span of an unknown kind");
    engine::Span& span = recorded.spans.emplace_back(kind->second);
    span.start_ns = spans_.integer(0);
    span.end_ns = plus(span.start_ns, spans_.integer(1));
    span.step = spans_.integer(2);
  }
  sink_.on_event(std::move(recorded));
  return {};
}

engine::Status Replay::emit_parameter() {
  if (const auto status = next(parameters_, "a parameter is missing"); !status) return status;
  sink_.on_event(engine::ParameterChanged{parameters_.integer(0), std::string(parameters_.text(1)),
                                          std::string(parameters_.text(2))});
  return {};
}

engine::Status Replay::emit_quality() {
  if (const auto status = next(quality_, "a quality measure is missing"); !status) return status;
  sink_.on_event(engine::QualityMeasured{small(quality_, 0), small(quality_, 1),
                                         std::string(quality_.text(2)), quality_.real(3)});
  return {};
}

engine::Status Replay::emit_notice() {
  if (const auto status = next(notices_, "a notice is missing"); !status) return status;
  sink_.on_event(engine::Notice{std::string(notices_.text(0))});
  return {};
}

engine::Status Replay::emit_finished() {
  const auto end_ns = db_.integer("SELECT value FROM meta WHERE key = 'end_ns'");
  if (!end_ns) return end_ns.error();
  auto reason = db_.text("SELECT value FROM meta WHERE key = 'end_reason'");
  if (!reason) return reason.error();
  sink_.on_event(engine::RunFinished{*end_ns, std::move(*reason)});
  return {};
}

}  // namespace

engine::Status replay_events(const Database& db, const engine::RunStarted& run, engine::EventSink& sink) {
  return Replay(db, run, sink).emit_all();
}

}  // namespace profiling
