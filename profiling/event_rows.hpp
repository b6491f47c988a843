// Turns events into rows, inside a transaction that the caller opens and commits. The writer's thread only.
#pragma once

#include <map>
#include <span>
#include <string>
#include <tuple>
#include <unordered_map>

#include "engine/events/events.hpp"
#include "profiling/event_log.hpp"
#include "profiling/gate_recorder.hpp"
#include "profiling/occupancy_run.hpp"

namespace profiling {

class EventRows {
 public:
  explicit EventRows(Database& db);

  engine::Status add(const engine::Event& event);
  engine::Status before_commit();  // writes what is collected across events
  engine::Status finish();         // turns tails into chunks; within the last transaction

 private:
  engine::Status write(const engine::RunStarted& run);
  engine::Status write(const engine::SequenceStarted& sequence);
  engine::Status write(const engine::TokenAdded& token);
  engine::Status write(const engine::GatesDecided& gates);
  engine::Status write(const engine::TokensEvicted& evicted);
  engine::Status write(const engine::OccupancyChanged& occupancy);
  engine::Status write(const engine::StepFinished& step);
  engine::Status write(const engine::SpansRecorded& recorded);
  engine::Status write(const engine::ParameterChanged& parameter);
  engine::Status write(const engine::QualityMeasured& quality);
  engine::Status write(const engine::Notice& notice);
  engine::Status write(const engine::RunFinished& finished);
  engine::Status write(const engine::KernelsNamed& named);
  engine::Status write(const engine::TrackNamed& named);
  engine::Status write(const engine::CountersSampled& sampled);
  engine::Status write(const engine::RecordsLost& lost);

  engine::Status write_spans(Statement& insert, std::span<const engine::Span> spans);
  engine::Result<std::int64_t> string_id(const std::string& text);
  engine::Result<std::int64_t> span_kind(const engine::Span& span);
  engine::Result<std::int64_t> counter_track(const engine::CounterSample& sample);
  engine::Status write_run_row(const OccupancyRun& run);

  // Layer, operation, kernel, device, stream, graph.
  using SpanKind =
      std::tuple<std::int16_t, std::int16_t, std::int16_t, std::int16_t, std::int32_t, std::int32_t>;
  using CounterTrack = std::tuple<std::int16_t, std::string, std::string>;  // device, name, unit
  struct OpenRun {
    OccupancyRunBuilder builder;
    bool dirty = true;
  };

  Database& db_;
  EventLogCodec log_;
  Blob log_bytes_;
  GateRecorder gates_;
  bool run_started_ = false;
  bool run_finished_ = false;
  std::size_t heads_ = 0;
  std::int32_t page_slots_ = 0;
  std::int64_t occupancy_rows_ = 0;
  std::map<engine::SequenceId, OpenRun> open_runs_;
  std::unordered_map<std::string, std::int64_t> string_ids_;
  std::map<SpanKind, std::int64_t> span_kinds_;
  std::map<SpanKind, std::int64_t>::iterator last_kind_ = span_kinds_.end();
  std::int64_t kernels_ = 0;  // names so far
  std::map<CounterTrack, std::int64_t> counter_tracks_;
  Statement insert_log_, insert_string_, insert_sequence_, insert_token_, insert_step_, insert_evicted_,
      insert_run_, insert_kind_, insert_span_, insert_spans_, insert_parameter_, insert_quality_,
      insert_notice_, insert_kernel_, insert_track_, insert_counter_track_, insert_counter_, insert_loss_,
      insert_drop_;
};

}  // namespace profiling
