// Takes the records out of a buffer that CUPTI has filled.
//
// Steps with the loaded library's own iterator, because a newer library's records are longer than those this
// program was compiled with; every field that is read lies in the part that has not changed. Without the
// library (tests) the same is done by the sizes compiled in. What follows a record that cannot be read is
// lost, and counted.
#pragma once

#include <cstdint>
#include <vector>

#include "profiling/gpu/activity.hpp"
#include "profiling/gpu/activity_source.hpp"
#include "profiling/gpu/cupti_api.hpp"

namespace profiling {

class RecordReader {
 public:
  using NextRecord = decltype(&cuptiActivityGetNextRecord);
  // Null: by the sizes compiled in. `sizes_known`: they are those of the library that `next` belongs to, so
  // that a record which is cut off can be told from the end.
  explicit RecordReader(NextRecord next, bool sizes_known = true);

  // Appends what `buffer` holds, with times as they are, and devices; counts what is lost.
  void read(std::uint8_t* buffer, std::size_t valid, std::vector<Activity>& out,
            std::vector<FoundDevice>& devices, SourceCounts& counts) const;

 private:
  NextRecord next_;
  bool sizes_known_;
};

// The iterator by the sizes compiled in, with the library's contract.
CUptiResult CUPTIAPI next_record_by_size(std::uint8_t* buffer, std::size_t valid, CUpti_Activity** record);

}  // namespace profiling
