#include "profiling/sequences.hpp"

#include <algorithm>

#include "profiling/schema.hpp"

namespace profiling {
namespace {

// Far beyond any model, and small enough for the sums of positions below.
constexpr std::int64_t kMostPositions = 1 << 30;

}  // namespace

std::int64_t SequenceRecord::step_of(std::int64_t position) const {
  const std::int64_t own = position - first_position;
  return own < 0 || own >= static_cast<std::int64_t>(steps.size()) ? -1
                                                                   : steps[static_cast<std::size_t>(own)];
}

std::int32_t SequenceRecord::processed_end() const {
  std::int32_t end = end_position();
  while (end > first_position && step_of(end - 1) < 0) --end;
  return end;
}

engine::Result<Sequences> Sequences::read(const Database& db) {
  Sequences sequences;
  Statement started = db.prepare("SELECT sequence, parent, fork_position FROM raw_sequences ORDER BY id");
  while (started.step()) {
    const std::int64_t id = started.integer(0), parent = started.integer(1), fork = started.integer(2);
    const SequenceRecord* above = parent < 0 ? nullptr : sequences.find(parent);
    const std::int32_t depth = above == nullptr ? 0 : above->depth + 1;
    const bool valid = id >= 0 && id <= INT32_MAX && fork >= 0 && fork <= kMostPositions &&
                       sequences.find(id) == nullptr && (parent < 0 ? fork == 0 : above != nullptr) &&
                       depth <= kMaxForkDepth;
    if (!valid) {
      return engine::bad_input("trace '{}': damaged (sequence {} starts as a fork of {} at position {})",
                               db.trace(), id, parent, fork);
    }
    sequences.index_[id] = sequences.records_.size();
    SequenceRecord& record = sequences.records_.emplace_back();
    record.sequence = static_cast<engine::SequenceId>(id);
    record.parent = static_cast<engine::SequenceId>(std::max<std::int64_t>(parent, -1));
    record.fork_position = record.first_position = static_cast<std::int32_t>(fork);
    record.depth = depth;
  }
  if (const auto status = started.status(); !status) return status.error();

  Statement tokens = db.prepare("SELECT sequence, position, step FROM raw_tokens ORDER BY id");
  while (tokens.step()) {
    const auto entry = sequences.index_.find(tokens.integer(0));
    const std::int64_t position = tokens.integer(1);
    SequenceRecord* record = entry == sequences.index_.end() ? nullptr : &sequences.records_[entry->second];
    if (record != nullptr && record->steps.empty() && position >= 0 && position <= record->fork_position) {
      record->first_position =
          static_cast<std::int32_t>(position);  // a fork may repeat its parent's last tokens
    }
    if (record == nullptr || position != record->end_position()) {
      return engine::bad_input("trace '{}': damaged (token at position {} of sequence {} is out of order)",
                               db.trace(), position, tokens.integer(0));
    }
    record->steps.push_back(tokens.integer(2));
  }
  if (const auto status = tokens.status(); !status) return status.error();
  for (const SequenceRecord& record : sequences.records_) {
    if (record.parent >= 0 && record.fork_position > sequences.find(record.parent)->end_position()) {
      return engine::bad_input(
          "trace '{}': damaged (sequence {} forks at position {}, beyond the end of its parent)", db.trace(),
          record.sequence, record.fork_position);
    }
  }
  return sequences;
}

const SequenceRecord* Sequences::find(std::int64_t sequence) const {
  const auto entry = index_.find(sequence);
  return entry == index_.end() ? nullptr : &records_[entry->second];
}

std::vector<Sequences::Ancestor> Sequences::lineage(const SequenceRecord& record, std::int32_t lag) const {
  std::vector<Ancestor> line{{&record, std::numeric_limits<std::int64_t>::max()}};
  while (line.back().record->parent >= 0) {
    const Ancestor& child = line.back();
    // A token is decided when the token `lag` later is processed: after the fork that is the child's
    // business.
    const std::int64_t before =
        std::min<std::int64_t>(child.before, child.record->fork_position - std::int64_t{lag});
    line.push_back({find(child.record->parent), before});
  }
  return line;
}

}  // namespace profiling
