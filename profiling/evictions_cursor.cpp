// What was evicted when, as rows: the table evictions. With a closed form from the decisions and the steps
// that processed each position, else from raw_evictions.
#include <algorithm>
#include <optional>

#include "profiling/byte_codec.hpp"
#include "profiling/decisions.hpp"
#include "profiling/table_cursor.hpp"

namespace profiling {
namespace {

enum Column { kSequence, kLayer, kKvHead, kPosition, kDecidedStep, kEvictedStep, kColumns };

class EvictionsCursor : public TableCursor {
 public:
  void column(int index, sqlite3_context* out) const override {
    switch (index) {
      case kSequence:
        return sqlite3_result_int64(out, sequence_);
      case kLayer:
        return sqlite3_result_int(out, layer_);
      case kKvHead:
        return sqlite3_result_int(out, kv_head_);
      case kPosition:
        return sqlite3_result_int64(out, position_);
      case kDecidedStep:
        if (decided_step_ >= 0) sqlite3_result_int64(out, decided_step_);
        return;
      default:
        return sqlite3_result_int64(out, evicted_step_);
    }
  }

 protected:
  explicit EvictionsCursor(const TableContext& context) : context_(context) {}
  const TableContext context_;
  ColumnRange ranges_[kColumns];
  std::int64_t sequence_ = 0, position_ = 0, decided_step_ = -1, evicted_step_ = 0;
  std::int32_t layer_ = 0, kv_head_ = 0;
};

class ClosedFormCursor : public EvictionsCursor {
 public:
  explicit ClosedFormCursor(const TableContext& context) : EvictionsCursor(context) {}

  engine::Status start(std::span<const ColumnRange> ranges) override {
    std::copy(ranges.begin(), ranges.begin() + kColumns, ranges_);
    auto sequences = Sequences::read(context_.db);
    if (!sequences) return sequences.error();
    sequences_ = std::move(*sequences);
    next_sequence_ = 0;
    layer_ = context_.run.shape.layers;  // nothing left of a sequence before the first
    at_end_ = false;
    return settle();
  }

  engine::Status next() override {
    ++position_;
    return settle();
  }

 private:
  std::int64_t reach() const { return std::int64_t{context_.run.window} + 1; }

  engine::Status settle() {
    while (!find_in_sequence()) {
      if (next_sequence_ == sequences_.all().size()) {
        at_end_ = true;
        break;
      }
      if (auto status = enter(sequences_.all()[next_sequence_++]); !status) return status;
    }
    return {};
  }

  // From (layer_, kv_head_, position_) on, the next marked token that fell out of the window.
  bool find_in_sequence() {
    for (; layer_ < context_.run.shape.layers; ++layer_, kv_head_ = 0) {
      if (!ranges_[kLayer].contains(layer_)) continue;
      for (; kv_head_ < context_.run.shape.kv_heads; ++kv_head_, position_ = first_) {
        if (!ranges_[kKvHead].contains(kv_head_)) continue;
        const auto head = static_cast<std::size_t>(layer_ * context_.run.shape.kv_heads + kv_head_);
        for (; position_ < end_; ++position_) {
          if (marked_[head].test(position_) && fill_steps()) return true;
        }
      }
    }
    return false;
  }

  bool fill_steps() {
    evicted_step_ = record_->step_of(position_ + reach());
    decided_step_ = -1;
    for (const auto& ancestor : line_) {
      decided_step_ = ancestor.record->step_of(position_ + context_.run.lag);
      if (decided_step_ >= 0) break;
    }
    return evicted_step_ >= 0;
  }

  engine::Status enter(const SequenceRecord& record) {
    record_ = &record;
    if (!ranges_[kSequence].contains(record.sequence) || !find_positions()) return {};
    auto marked = read_marked(context_.db, context_.run, sequences_, record);
    if (!marked) return marked.error();
    marked_ = std::move(*marked);
    line_ = sequences_.lineage(record, context_.run.lag);
    sequence_ = record.sequence;
    layer_ = kv_head_ = 0;
    position_ = first_;
    return {};
  }

  // The tokens that this sequence's own steps, as far as they are asked for, can have evicted.
  bool find_positions() {
    const auto wanted = [&](std::int64_t step) { return step >= 0 && ranges_[kEvictedStep].contains(step); };
    const auto& steps = record_->steps;
    const auto first = std::find_if(steps.begin(), steps.end(), wanted);
    const auto last = std::find_if(steps.rbegin(), steps.rend(), wanted);
    if (first == steps.end()) return false;
    first_ = record_->first_position + (first - steps.begin()) - reach();
    end_ = record_->first_position + (steps.rend() - last) - reach();
    first_ = std::max({first_, std::int64_t{0}, ranges_[kPosition].low});
    if (ranges_[kPosition].high < end_) end_ = ranges_[kPosition].high + 1;
    return first_ < end_;
  }

  Sequences sequences_;
  std::size_t next_sequence_ = 0;
  const SequenceRecord* record_ = nullptr;
  std::vector<Sequences::Ancestor> line_;
  std::vector<PositionBits> marked_;
  std::int64_t first_ = 0, end_ = 0;  // positions
};

class RecordedCursor : public EvictionsCursor {
 public:
  explicit RecordedCursor(const TableContext& context)
      : EvictionsCursor(context),
        rows_(context.db.prepare(
            "SELECT sequence, step, tokens FROM raw_evictions WHERE sequence BETWEEN ? AND ? "
            "AND step BETWEEN ? AND ? ORDER BY id")) {}

  engine::Status start(std::span<const ColumnRange> ranges) override {
    std::copy(ranges.begin(), ranges.begin() + kColumns, ranges_);
    rows_.reset();
    rows_.bind(ranges_[kSequence].low, ranges_[kSequence].high, ranges_[kEvictedStep].low,
               ranges_[kEvictedStep].high);
    tokens_ = {};
    at_ = 0;
    at_end_ = false;
    return next();
  }

  engine::Status next() override {
    while (true) {
      for (; at_ + 8 <= tokens_.size(); at_ += 8) {
        layer_ = static_cast<std::int32_t>(get_u16(tokens_, at_));
        kv_head_ = static_cast<std::int32_t>(get_u16(tokens_, at_ + 2));
        position_ = get_u32(tokens_, at_ + 4);
        if (!ranges_[kLayer].contains(layer_) || !ranges_[kKvHead].contains(kv_head_)) continue;
        if (!ranges_[kPosition].contains(position_)) continue;
        at_ += 8;
        return {};
      }
      if (!rows_.step()) break;
      sequence_ = rows_.integer(0);
      decided_step_ = evicted_step_ = rows_.integer(1);
      tokens_ = rows_.blob(2);
      at_ = 0;
    }
    at_end_ = true;
    return rows_.status();
  }

 private:
  Statement rows_;
  BlobView tokens_;
  std::size_t at_ = 0;
};

}  // namespace

std::unique_ptr<TableCursor> evictions_cursor(const TableContext& context) {
  if (context.run.closed_form) return std::make_unique<ClosedFormCursor>(context);
  return std::make_unique<RecordedCursor>(context);
}

}  // namespace profiling
