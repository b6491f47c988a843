// The cache states of occupancy_runs as rows: the table occupancy.
#include <algorithm>
#include <optional>

#include "profiling/occupancy_run.hpp"
#include "profiling/table_cursor.hpp"

namespace profiling {
namespace {

enum Column { kStep, kSequence, kLayer, kKvHead, kLive, kAllocated };

class OccupancyCursor : public TableCursor {
 public:
  explicit OccupancyCursor(const TableContext& context)
      : context_(context),
        heads_(context.run.shape.layers * context.run.shape.kv_heads),
        runs_(context.db.prepare(fmt::format("SELECT {} FROM occupancy_runs WHERE sequence BETWEEN ? AND ? "
                                             "AND first_step <= ? AND first_step + steps > ? ORDER BY id",
                                             kOccupancyRunColumns))) {}

  engine::Status start(std::span<const ColumnRange> ranges) override {
    std::copy(ranges.begin(), ranges.begin() + kLive, ranges_);
    runs_.reset();
    runs_.bind(ranges_[kSequence].low, ranges_[kSequence].high, ranges_[kStep].high, ranges_[kStep].low);
    run_ = {};
    head_ = heads_;
    step_ = 0;
    at_end_ = false;
    return settle();
  }

  engine::Status next() override {
    ++head_;
    return settle();
  }

  void column(int index, sqlite3_context* out) const override {
    const std::int32_t kv_heads = context_.run.shape.kv_heads;
    const auto head = static_cast<std::size_t>(head_);
    switch (index) {
      case kStep:
        return sqlite3_result_int64(out, run_.first_step + step_);
      case kSequence:
        return sqlite3_result_int64(out, run_.sequence);
      case kLayer:
        return sqlite3_result_int(out, head_ / kv_heads);
      case kKvHead:
        return sqlite3_result_int(out, head_ % kv_heads);
      case kLive:
        return sqlite3_result_int(out, state_.live[head]);
      default:
        return sqlite3_result_int(out, state_.allocated[head]);
    }
  }

 private:
  engine::Status settle() {
    while (!find_head()) {
      if (next_step()) continue;
      const auto found = read_run();
      if (!found) return found.error();
      at_end_ = !*found;
      if (at_end_) break;
    }
    return {};
  }

  bool find_head() {
    for (; head_ < heads_; ++head_) {
      const bool wanted = ranges_[kLayer].contains(head_ / context_.run.shape.kv_heads) &&
                          ranges_[kKvHead].contains(head_ % context_.run.shape.kv_heads);
      if (wanted) return true;
    }
    return false;
  }

  // To the run's next step that is asked for.
  bool next_step() {
    while (++step_ < run_.steps && run_.first_step + step_ <= ranges_[kStep].high) {
      run_.advance(state_, step_, context_.run.page_slots);
      if (run_.first_step + step_ < ranges_[kStep].low) continue;
      head_ = 0;
      return true;
    }
    return false;
  }

  engine::Result<bool> read_run() {
    if (!runs_.step()) {
      if (auto status = runs_.status(); !status) return status.error();
      return false;
    }
    auto run = OccupancyRun::from_row(runs_, static_cast<std::size_t>(heads_));
    if (!run) {
      return engine::bad_input("trace '{}': damaged (occupancy row {})", context_.db.trace(),
                               runs_.integer(0));
    }
    run_ = std::move(*run);
    state_ = run_.first;
    step_ = 0;
    head_ = run_.first_step >= ranges_[kStep].low ? 0 : heads_;
    return true;
  }

  TableContext context_;
  std::int32_t heads_;
  Statement runs_;
  ColumnRange ranges_[kLive];
  OccupancyRun run_;
  OccupancyState state_;
  std::int64_t step_ = 0;  // within the run
  std::int32_t head_ = 0;
};

}  // namespace

std::unique_ptr<TableCursor> occupancy_cursor(const TableContext& context) {
  return std::make_unique<OccupancyCursor>(context);
}

}  // namespace profiling
