#include "profiling/event_rows.hpp"

#include "profiling/byte_codec.hpp"
#include "profiling/run_facts.hpp"

namespace profiling {

namespace {

// Rows of one statement for spans, of which there are thousands a second: calling SQLite costs more than a
// row does.
constexpr std::size_t kSpanRows = 16;

std::string span_insert(std::size_t rows) {
  std::string sql = "INSERT INTO raw_spans(start_ns, duration_ns, step, kind, bytes) VALUES(?, ?, ?, ?, ?)";
  for (std::size_t row = 1; row < rows; ++row) sql += ", (?, ?, ?, ?, ?)";
  return sql;
}

}  // namespace

EventRows::EventRows(Database& db)
    : db_(db),
      gates_(db),
      insert_log_(db.prepare("INSERT INTO event_log(events) VALUES(?)")),
      insert_string_(db.prepare("INSERT INTO strings(id, text) VALUES(?, ?)")),
      insert_sequence_(
          db.prepare("INSERT INTO raw_sequences(sequence, parent, fork_position) VALUES(?, ?, ?)")),
      insert_token_(db.prepare("INSERT INTO raw_tokens(sequence, position, token, text, phase, step) "
                               "VALUES(?, ?, ?, ?, ?, ?)")),
      insert_step_(db.prepare("INSERT INTO raw_steps(step, phase, start_ns, duration_ns, tokens, kv_reads) "
                              "VALUES(?, ?, ?, ?, ?, ?)")),
      insert_evicted_(db.prepare("INSERT INTO raw_evictions(sequence, step, tokens) VALUES(?, ?, ?)")),
      insert_run_(db.prepare(
          "INSERT OR REPLACE INTO occupancy_runs(id, sequence, first_step, steps, live, allocated, "
          "live_bits, allocated_bits) VALUES(?, ?, ?, ?, ?, ?, ?, ?)")),
      insert_kind_(db.prepare("INSERT INTO span_kinds(id, layer, operation, kernel, device, stream, graph) "
                              "VALUES(?, ?, ?, ?, ?, ?, ?)")),
      insert_span_(db.prepare(span_insert(1))),
      insert_spans_(db.prepare(span_insert(kSpanRows))),
      insert_parameter_(db.prepare("INSERT INTO raw_parameters(step, name, value) VALUES(?, ?, ?)")),
      insert_quality_(
          db.prepare("INSERT INTO raw_quality(sequence, position, measure, value) VALUES(?, ?, ?, ?)")),
      insert_notice_(db.prepare("INSERT INTO raw_notices(text) VALUES(?)")),
      insert_kernel_(db.prepare("INSERT INTO kernel_names(id, name) VALUES(?, ?)")),
      insert_track_(db.prepare("INSERT INTO raw_tracks(device, stream, name) VALUES(?, ?, ?)")),
      insert_counter_track_(
          db.prepare("INSERT INTO counter_tracks(id, device, name, unit) VALUES(?, ?, ?, ?)")),
      insert_counter_(db.prepare("INSERT INTO raw_counters(track, time_ns, value) VALUES(?, ?, ?)")),
      insert_loss_(db.prepare("INSERT INTO raw_losses(what, count, meaning) VALUES(?, ?, ?)")),
      insert_drop_(db.prepare("INSERT OR REPLACE INTO drops(what, count, meaning) VALUES(?, ?, ?)")) {}

engine::Status EventRows::add(const engine::Event& event) {
  return std::visit([this](const auto& value) { return write(value); }, event);
}

engine::Status EventRows::write(const engine::RunStarted& run) {
  if (run_started_) return engine::failed("trace '{}': a run began twice", db_.trace());
  run_started_ = true;
  gates_.set_shape(run.shape.layers, run.shape.kv_heads);
  heads_ = static_cast<std::size_t>(run.shape.layers) * static_cast<std::size_t>(run.shape.kv_heads);
  page_slots_ = run.page_slots;
  kernels_ = static_cast<std::int64_t>(run.kernels.size());
  log_.encode({.kind = EventKind::run_started}, log_bytes_);
  return write_run(db_, run);
}

engine::Status EventRows::write(const engine::SequenceStarted& sequence) {
  log_.encode({.kind = EventKind::sequence_started}, log_bytes_);
  return insert_sequence_.bind(sequence.sequence, sequence.parent, sequence.fork_position).run();
}

engine::Status EventRows::write(const engine::TokenAdded& token) {
  const auto text = string_id(token.text);
  if (!text) return text.error();
  log_.encode({.kind = EventKind::token_added}, log_bytes_);
  insert_token_.bind(token.sequence, token.position, token.id, *text, static_cast<std::int64_t>(token.phase),
                     token.step);
  return insert_token_.run();
}

engine::Status EventRows::write(const engine::GatesDecided& gates) {
  log_.encode({.kind = EventKind::gates_decided,
               .sequence = gates.sequence,
               .first_position = gates.first_position,
               .count = gates.count,
               .step = gates.step},
              log_bytes_);
  return gates_.add(gates);
}

engine::Status EventRows::write(const engine::TokensEvicted& evicted) {
  Blob tokens;
  tokens.reserve(evicted.tokens.size() * 8);
  for (const auto& token : evicted.tokens) {
    put_u16(tokens, static_cast<std::uint32_t>(token.layer));
    put_u16(tokens, static_cast<std::uint32_t>(token.kv_head));
    put_u32(tokens, static_cast<std::uint32_t>(token.position));
  }
  log_.encode({.kind = EventKind::tokens_evicted}, log_bytes_);
  return insert_evicted_.bind(evicted.sequence, evicted.step, tokens).run();
}

engine::Status EventRows::write(const engine::OccupancyChanged& occupancy) {
  if (heads_ == 0 || occupancy.live.size() != heads_ || occupancy.allocated.size() != heads_) {
    return engine::failed(
        "occupancy of sequence {} at step {}: {} live and {} allocated values, expected {} of each",
        occupancy.sequence, occupancy.step, occupancy.live.size(), occupancy.allocated.size(), heads_);
  }
  log_.encode({.kind = EventKind::occupancy_changed, .sequence = occupancy.sequence}, log_bytes_);
  const OccupancyState state{occupancy.live, occupancy.allocated};
  const auto open = open_runs_.find(occupancy.sequence);
  if (open != open_runs_.end()) {
    if (open->second.builder.append(occupancy.step, state, page_slots_)) {
      open->second.dirty = true;
      return {};
    }
    if (open->second.dirty) {
      if (const auto status = write_run_row(open->second.builder.run()); !status) return status;
    }
  }
  open_runs_.insert_or_assign(
      occupancy.sequence,
      OpenRun{OccupancyRunBuilder(++occupancy_rows_, occupancy.sequence, occupancy.step, state)});
  return {};
}

engine::Status EventRows::write(const engine::StepFinished& step) {
  log_.encode({.kind = EventKind::step_finished}, log_bytes_);
  insert_step_.bind(step.step, static_cast<std::int64_t>(step.phase), step.start_ns,
                    step.end_ns - step.start_ns, step.tokens, step.kv_reads);
  return insert_step_.run();
}

engine::Status EventRows::write(const engine::SpansRecorded& recorded) {
  log_.encode({.kind = EventKind::spans_recorded, .count = static_cast<std::int64_t>(recorded.spans.size())},
              log_bytes_);
  std::span<const engine::Span> left = recorded.spans;
  for (; left.size() >= kSpanRows; left = left.subspan(kSpanRows)) {
    if (const auto status = write_spans(insert_spans_, left.first(kSpanRows)); !status) return status;
  }
  for (; !left.empty(); left = left.subspan(1)) {
    if (const auto status = write_spans(insert_span_, left.first(1)); !status) return status;
  }
  return {};
}

engine::Status EventRows::write_spans(Statement& insert, std::span<const engine::Span> spans) {
  int index = 0;
  for (const engine::Span& span : spans) {
    const auto kind = span_kind(span);
    if (!kind) return kind.error();
    for (const std::int64_t value :
         {span.start_ns, span.end_ns - span.start_ns, span.step, *kind, span.bytes}) {
      insert.bind_at(++index, value);
    }
  }
  return insert.run();
}

engine::Status EventRows::write(const engine::ParameterChanged& parameter) {
  log_.encode({.kind = EventKind::parameter_changed}, log_bytes_);
  return insert_parameter_.bind(parameter.step, parameter.name, parameter.value).run();
}

engine::Status EventRows::write(const engine::QualityMeasured& quality) {
  const auto measure = string_id(quality.measure);
  if (!measure) return measure.error();
  log_.encode({.kind = EventKind::quality_measured}, log_bytes_);
  return insert_quality_.bind(quality.sequence, quality.position, *measure, quality.value).run();
}

engine::Status EventRows::write(const engine::Notice& notice) {
  log_.encode({.kind = EventKind::notice}, log_bytes_);
  return insert_notice_.bind(notice.text).run();
}

engine::Status EventRows::write(const engine::KernelsNamed& named) {
  log_.encode({.kind = EventKind::kernels_named, .count = static_cast<std::int64_t>(named.names.size())},
              log_bytes_);
  for (const std::string& name : named.names) {
    if (const auto status = insert_kernel_.bind(kernels_++, name).run(); !status) return status;
  }
  return {};
}

engine::Status EventRows::write(const engine::TrackNamed& named) {
  log_.encode({.kind = EventKind::track_named}, log_bytes_);
  return insert_track_.bind(std::int64_t{named.device}, named.stream, named.name).run();
}

engine::Status EventRows::write(const engine::CountersSampled& sampled) {
  log_.encode(
      {.kind = EventKind::counters_sampled, .count = static_cast<std::int64_t>(sampled.samples.size())},
      log_bytes_);
  for (const engine::CounterSample& sample : sampled.samples) {
    const auto track = counter_track(sample);
    if (!track) return track.error();
    if (const auto status = insert_counter_.bind(*track, sample.time_ns, sample.value).run(); !status) {
      return status;
    }
  }
  return {};
}

engine::Status EventRows::write(const engine::RecordsLost& lost) {
  log_.encode({.kind = EventKind::records_lost}, log_bytes_);
  if (const auto status = insert_drop_.bind(lost.what, lost.count, lost.meaning).run(); !status)
    return status;
  return insert_loss_.bind(lost.what, lost.count, lost.meaning).run();
}

engine::Status EventRows::write(const engine::RunFinished& finished) {
  if (run_finished_) return engine::failed("trace '{}': a run finished twice", db_.trace());
  run_finished_ = true;
  log_.encode({.kind = EventKind::run_finished}, log_bytes_);
  if (const auto status = write_meta(db_, "end_ns", finished.end_ns); !status) return status;
  return write_meta(db_, "end_reason", finished.reason);
}

engine::Result<std::int64_t> EventRows::string_id(const std::string& text) {
  const auto next = static_cast<std::int64_t>(string_ids_.size());
  const auto [entry, fresh] = string_ids_.try_emplace(text, next);
  if (fresh) {
    if (const auto status = insert_string_.bind(next, text).run(); !status) return status.error();
  }
  return entry->second;
}

engine::Result<std::int64_t> EventRows::span_kind(const engine::Span& span) {
  const SpanKind kind{span.layer, span.operation, span.kernel, span.device, span.stream, span.graph};
  // A step's operations come layer by layer, which is the order of the map.
  if (last_kind_ != span_kinds_.end() && ++last_kind_ != span_kinds_.end() && last_kind_->first == kind) {
    return last_kind_->second;
  }
  const auto next = static_cast<std::int64_t>(span_kinds_.size());
  const auto [entry, fresh] = span_kinds_.try_emplace(kind, next);
  last_kind_ = entry;
  if (fresh) {
    insert_kind_.bind(next, std::int64_t{span.layer}, std::int64_t{span.operation}, std::int64_t{span.kernel},
                      std::int64_t{span.device}, span.stream, span.graph);
    if (const auto status = insert_kind_.run(); !status) return status.error();
  }
  return entry->second;
}

engine::Result<std::int64_t> EventRows::counter_track(const engine::CounterSample& sample) {
  const auto next = static_cast<std::int64_t>(counter_tracks_.size());
  const auto [entry, fresh] = counter_tracks_.try_emplace({sample.device, sample.track, sample.unit}, next);
  if (fresh) {
    insert_counter_track_.bind(next, std::int64_t{sample.device}, sample.track, sample.unit);
    if (const auto status = insert_counter_track_.run(); !status) return status.error();
  }
  return entry->second;
}

engine::Status EventRows::write_run_row(const OccupancyRun& run) {
  const Blob live = to_blob(run.first.live), allocated = to_blob(run.first.allocated);
  if (run.allocated_bits) {
    insert_run_.bind(run.id, run.sequence, run.first_step, run.steps, live, allocated, run.live_bits,
                     *run.allocated_bits);
  } else {
    insert_run_.bind(run.id, run.sequence, run.first_step, run.steps, live, allocated, run.live_bits,
                     nullptr);
  }
  return insert_run_.run();
}

engine::Status EventRows::before_commit() {
  if (const auto status = gates_.write_tails(); !status) return status;
  for (auto& [sequence, open] : open_runs_) {
    if (!open.dirty) continue;
    if (const auto status = write_run_row(open.builder.run()); !status) return status;
    open.dirty = false;
  }
  if (log_bytes_.empty()) return {};
  const auto status = insert_log_.bind(log_bytes_).run();
  log_bytes_.clear();
  return status;
}

engine::Status EventRows::finish() {
  return gates_.write_chunks();
}

}  // namespace profiling
