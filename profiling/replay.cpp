#include "profiling/replay.hpp"

#include "profiling/byte_codec.hpp"

namespace profiling {
namespace {

engine::Phase phase_of(std::int64_t stored) {
  return stored == 0 ? engine::Phase::prefill : engine::Phase::decode;
}

std::int32_t small(const Statement& row, int column) {
  return static_cast<std::int32_t>(row.integer(column));
}

// Hostile times must not overflow.
std::int64_t plus(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
}

}  // namespace

Replay::Replay(const Database& db, const engine::RunStarted& run)
    : db_(db),
      run_(run),
      gates_(db, run),
      occupancy_(db, run),
      transactions_(db, "SELECT events, id FROM event_log WHERE id > ? ORDER BY id"),
      sequences_(db,
                 "SELECT sequence, parent, fork_position, id FROM raw_sequences WHERE id > ? ORDER BY id"),
      tokens_(db,
              "SELECT t.sequence, t.position, t.token, s.text, t.phase, t.step, t.id FROM raw_tokens t "
              "LEFT JOIN strings s ON s.id = t.text WHERE t.id > ? ORDER BY t.id"),
      evicted_(db, "SELECT sequence, step, tokens, id FROM raw_evictions WHERE id > ? ORDER BY id"),
      steps_(db,
             "SELECT step, phase, start_ns, duration_ns, tokens, kv_reads, id FROM raw_steps WHERE id > ? "
             "ORDER BY id"),
      spans_(db,
             "SELECT start_ns, duration_ns, step, kind, bytes, id FROM raw_spans WHERE id > ? ORDER BY id"),
      parameters_(db, "SELECT step, name, value, id FROM raw_parameters WHERE id > ? ORDER BY id"),
      quality_(db,
               "SELECT q.sequence, q.position, s.text, q.value, q.id FROM raw_quality q LEFT JOIN strings s "
               "ON s.id = q.measure WHERE q.id > ? ORDER BY q.id"),
      notices_(db, "SELECT text, id FROM raw_notices WHERE id > ? ORDER BY id"),
      // Names are numbered from 0.
      kernels_(db, "SELECT name, id + 1 FROM kernel_names WHERE id + 1 > ? ORDER BY id",
               static_cast<std::int64_t>(run.kernels.size())),
      tracks_(db, "SELECT device, stream, name, id FROM raw_tracks WHERE id > ? ORDER BY id"),
      counters_(db,
                "SELECT t.device, t.name, t.unit, c.time_ns, c.value, c.id FROM raw_counters c LEFT JOIN "
                "counter_tracks t ON t.id = c.track WHERE c.id > ? ORDER BY c.id"),
      losses_(db, "SELECT what, count, meaning, id FROM raw_losses WHERE id > ? ORDER BY id") {}

engine::Status Replay::emit_new(engine::EventSink& sink, const ReplayProgress& progress) {
  gates_.refresh();
  occupancy_.refresh();
  auto status = read_span_kinds();
  if (status) status = emit_logged(sink, progress);
  rest();
  return status;
}

engine::Status Replay::emit_logged(engine::EventSink& sink, const ReplayProgress& progress) {
  while (transactions_.next()) {
    const BlobView events = transactions_.row().blob(0);
    std::size_t at = 0;
    while (at < events.size()) {
      EventLogEntry entry;
      if (!log_.decode(events, at, entry)) return damaged("its event log cannot be read");
      if (auto status = emit(entry, sink); !status) return status;
    }
    if (progress && !progress(transactions_.row().integer(1))) return {};
  }
  return transactions_.status();
}

void Replay::rest() {
  for (RowStream* rows : {&transactions_, &sequences_, &tokens_, &evicted_, &steps_, &spans_, &parameters_,
                          &quality_, &notices_, &kernels_, &tracks_, &counters_, &losses_}) {
    rows->rest();
  }
}

engine::Error Replay::damaged(const char* what) const {
  return engine::bad_input("trace '{}': damaged ({})", db_.trace(), what);
}

engine::Status Replay::emit(const EventLogEntry& entry, engine::EventSink& sink) {
  switch (entry.kind) {
    case EventKind::run_started:
      sink.on_event(run_);
      return {};
    case EventKind::sequence_started:
      return emit_sequence(sink);
    case EventKind::token_added:
      return emit_token(sink);
    case EventKind::gates_decided: {
      auto gates = gates_.take(entry);
      if (!gates) return gates.error();
      sink.on_event(std::move(*gates));
      return {};
    }
    case EventKind::tokens_evicted:
      return emit_evicted(sink);
    case EventKind::occupancy_changed:
      return emit_occupancy(entry.sequence, sink);
    case EventKind::step_finished:
      return emit_step(sink);
    case EventKind::spans_recorded:
      return emit_spans(entry.count, sink);
    case EventKind::parameter_changed:
      return emit_parameter(sink);
    case EventKind::quality_measured:
      return emit_quality(sink);
    case EventKind::notice:
      return emit_notice(sink);
    case EventKind::run_finished:
      return emit_finished(sink);
    case EventKind::kernels_named:
      return emit_kernels(entry.count, sink);
    case EventKind::track_named:
      return emit_track(sink);
    case EventKind::counters_sampled:
      return emit_counters(entry.count, sink);
    case EventKind::records_lost:
      return emit_lost(sink);
  }
  return damaged("an event of an unknown kind");
}

engine::Status Replay::next(RowStream& rows, const char* what) const {
  if (rows.next()) return {};
  if (auto status = rows.status(); !status) return status;
  return damaged(what);
}

engine::Status Replay::emit_sequence(engine::EventSink& sink) {
  if (const auto status = next(sequences_, "a sequence is missing"); !status) return status;
  sink.on_event(engine::SequenceStarted{small(sequences_.row(), 0), small(sequences_.row(), 1),
                                        small(sequences_.row(), 2)});
  return {};
}

engine::Status Replay::emit_token(engine::EventSink& sink) {
  if (const auto status = next(tokens_, "a token is missing"); !status) return status;
  sink.on_event(engine::TokenAdded{small(tokens_.row(), 0), small(tokens_.row(), 1), small(tokens_.row(), 2),
                                   std::string(tokens_.row().text(3)), phase_of(tokens_.row().integer(4)),
                                   tokens_.row().integer(5)});
  return {};
}

engine::Status Replay::emit_evicted(engine::EventSink& sink) {
  if (const auto status = next(evicted_, "an eviction is missing"); !status) return status;
  const BlobView tokens = evicted_.row().blob(2);
  engine::TokensEvicted evicted{small(evicted_.row(), 0), evicted_.row().integer(1), {}};
  for (std::size_t at = 0; at + 8 <= tokens.size(); at += 8) {
    evicted.tokens.push_back({static_cast<std::int32_t>(get_u16(tokens, at)),
                              static_cast<std::int32_t>(get_u16(tokens, at + 2)),
                              static_cast<std::int32_t>(get_u32(tokens, at + 4))});
  }
  sink.on_event(std::move(evicted));
  return {};
}

engine::Status Replay::emit_occupancy(std::int64_t sequence, engine::EventSink& sink) {
  const auto next_state = occupancy_.next(sequence);
  if (!next_state) return next_state.error();
  if (next_state->state == nullptr) return damaged("a cache state is missing");
  sink.on_event(engine::OccupancyChanged{static_cast<engine::SequenceId>(sequence), next_state->step,
                                         next_state->state->live, next_state->state->allocated});
  return {};
}

engine::Status Replay::emit_step(engine::EventSink& sink) {
  if (const auto status = next(steps_, "a step is missing"); !status) return status;
  sink.on_event(engine::StepFinished{steps_.row().integer(0), phase_of(steps_.row().integer(1)),
                                     steps_.row().integer(2),
                                     plus(steps_.row().integer(2), steps_.row().integer(3)),
                                     small(steps_.row(), 4), steps_.row().integer(5)});
  return {};
}

engine::Status Replay::read_span_kinds() {
  Statement kinds = db_.prepare("SELECT id, layer, operation, kernel, device, stream, graph FROM span_kinds");
  while (kinds.step()) {
    engine::Span span;
    span.layer = static_cast<std::int16_t>(kinds.integer(1));
    span.operation = static_cast<std::int16_t>(kinds.integer(2));
    span.kernel = static_cast<std::int16_t>(kinds.integer(3));
    span.device = static_cast<std::int16_t>(kinds.integer(4));
    span.stream = small(kinds, 5);
    span.graph = small(kinds, 6);
    span_kinds_[kinds.integer(0)] = span;
  }
  return kinds.status();
}

engine::Status Replay::emit_spans(std::int64_t count, engine::EventSink& sink) {
  engine::SpansRecorded recorded;
  for (std::int64_t i = 0; i < count; ++i) {
    if (const auto status = next(spans_, "a span is missing"); !status) return status;
    const auto kind = span_kinds_.find(spans_.row().integer(3));
    if (kind == span_kinds_.end()) return damaged("a span of an unknown kind");
    engine::Span& span = recorded.spans.emplace_back(kind->second);
    span.start_ns = spans_.row().integer(0);
    span.end_ns = plus(span.start_ns, spans_.row().integer(1));
    span.step = spans_.row().integer(2);
    span.bytes = spans_.row().integer(4);
  }
  sink.on_event(std::move(recorded));
  return {};
}

engine::Status Replay::emit_parameter(engine::EventSink& sink) {
  if (const auto status = next(parameters_, "a parameter is missing"); !status) return status;
  sink.on_event(engine::ParameterChanged{parameters_.row().integer(0), std::string(parameters_.row().text(1)),
                                         std::string(parameters_.row().text(2))});
  return {};
}

engine::Status Replay::emit_quality(engine::EventSink& sink) {
  if (const auto status = next(quality_, "a quality measure is missing"); !status) return status;
  sink.on_event(engine::QualityMeasured{small(quality_.row(), 0), small(quality_.row(), 1),
                                        std::string(quality_.row().text(2)), quality_.row().real(3)});
  return {};
}

engine::Status Replay::emit_notice(engine::EventSink& sink) {
  if (const auto status = next(notices_, "a notice is missing"); !status) return status;
  sink.on_event(engine::Notice{std::string(notices_.row().text(0))});
  return {};
}

engine::Status Replay::emit_finished(engine::EventSink& sink) {
  const auto end_ns = db_.integer("SELECT value FROM meta WHERE key = 'end_ns'");
  if (!end_ns) return end_ns.error();
  auto reason = db_.text("SELECT value FROM meta WHERE key = 'end_reason'");
  if (!reason) return reason.error();
  finished_ = true;
  sink.on_event(engine::RunFinished{*end_ns, std::move(*reason)});
  return {};
}

engine::Status Replay::emit_kernels(std::int64_t count, engine::EventSink& sink) {
  engine::KernelsNamed named;
  for (std::int64_t i = 0; i < count; ++i) {
    if (const auto status = next(kernels_, "a kernel's name is missing"); !status) return status;
    named.names.emplace_back(kernels_.row().text(0));
  }
  sink.on_event(std::move(named));
  return {};
}

engine::Status Replay::emit_track(engine::EventSink& sink) {
  if (const auto status = next(tracks_, "a track is missing"); !status) return status;
  sink.on_event(engine::TrackNamed{static_cast<std::int16_t>(tracks_.row().integer(0)),
                                   small(tracks_.row(), 1), std::string(tracks_.row().text(2))});
  return {};
}

engine::Status Replay::emit_counters(std::int64_t count, engine::EventSink& sink) {
  engine::CountersSampled sampled;
  for (std::int64_t i = 0; i < count; ++i) {
    if (const auto status = next(counters_, "a counter's sample is missing"); !status) return status;
    const Statement& row = counters_.row();
    sampled.samples.push_back({static_cast<std::int16_t>(row.integer(0)), std::string(row.text(1)),
                               std::string(row.text(2)), row.integer(3), row.real(4)});
  }
  sink.on_event(std::move(sampled));
  return {};
}

engine::Status Replay::emit_lost(engine::EventSink& sink) {
  if (const auto status = next(losses_, "a count of lost records is missing"); !status) return status;
  sink.on_event(engine::RecordsLost{std::string(losses_.row().text(0)), losses_.row().integer(1),
                                    std::string(losses_.row().text(2))});
  return {};
}

}  // namespace profiling
