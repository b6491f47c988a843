// CUPTI's records in a buffer, as it lays them out one after the other.
#pragma once

#include <cupti.h>

#include <cstdint>
#include <cstring>
#include <vector>

namespace profiling_test {

class RecordBytes {
 public:
  template <typename Record>
  void add(const Record& record) {
    const auto* const bytes = reinterpret_cast<const std::uint8_t*>(&record);
    bytes_.insert(bytes_.end(), bytes, bytes + sizeof record);
  }
  std::size_t size() const { return bytes_.size(); }
  std::uint8_t* data() { return bytes_.data(); }
  void copy_to(std::uint8_t* buffer) const { std::memcpy(buffer, bytes_.data(), bytes_.size()); }

 private:
  alignas(8) std::vector<std::uint8_t> bytes_;
};

inline CUpti_ActivityKernel10 kernel_record(std::uint32_t correlation, const char* name, std::uint64_t start,
                                            std::uint64_t end) {
  CUpti_ActivityKernel10 record{};
  record.kind = CUPTI_ACTIVITY_KIND_CONCURRENT_KERNEL;
  record.start = start;
  record.end = end;
  record.deviceId = 1;
  record.streamId = 13;
  record.correlationId = correlation;
  record.name = name;
  return record;
}

inline CUpti_ActivityExternalCorrelation scope_record(std::uint32_t correlation, std::uint64_t id) {
  CUpti_ActivityExternalCorrelation record{};
  record.kind = CUPTI_ACTIVITY_KIND_EXTERNAL_CORRELATION;
  record.externalKind = CUPTI_EXTERNAL_CORRELATION_KIND_CUSTOM0;
  record.externalId = id;
  record.correlationId = correlation;
  return record;
}

}  // namespace profiling_test
