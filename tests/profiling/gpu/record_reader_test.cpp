#include "profiling/gpu/record_reader.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <cstdlib>
#include <filesystem>
#include <string_view>

#include "profiling/gpu/shared_library.hpp"
#include "tests/profiling/gpu/cupti_records.hpp"

using namespace profiling;
using namespace profiling_test;

namespace {

// The installed CUPTI's iterator: needs no driver. Null: there is none.
RecordReader::NextRecord installed_iterator() {
  for (const char* path :
       {"libcupti.so.13", "/usr/local/cuda/lib64/libcupti.so.13", "/usr/local/cuda-13.0/lib/libcupti.so.13",
        "/usr/local/cuda/extras/CUPTI/lib64/libcupti.so.13"}) {
    auto library = SharedLibrary::open(path, true);
    if (library) {
      return reinterpret_cast<RecordReader::NextRecord>(library->symbol("cuptiActivityGetNextRecord"));
    }
  }
  return nullptr;
}

struct Read {
  std::vector<Activity> activities;
  std::vector<FoundDevice> devices;
  SourceCounts counts;
};

// Through the library's iterator, or through our own.
RecordReader reader_to_test(bool library) {
  const RecordReader::NextRecord next = library ? installed_iterator() : nullptr;
  if (library && next == nullptr) SKIP("CUPTI 13 is not installed");
  return RecordReader(next);
}

Read read(const RecordReader& reader, RecordBytes& bytes, std::size_t valid) {
  Read result;
  reader.read(bytes.data(), valid, result.activities, result.devices, result.counts);
  return result;
}

}  // namespace

TEST_CASE("RecordReader, reads every kind of record") {
  const RecordReader reader = reader_to_test(GENERATE(false, true));
  RecordBytes bytes;
  CUpti_ActivityKernel10 kernel = kernel_record(5, "gemv", 100, 200);
  kernel.graphNodeId = 77;
  kernel.graphId = 3;
  bytes.add(kernel);
  CUpti_ActivityMemcpy6 copy{};
  copy.kind = CUPTI_ACTIVITY_KIND_MEMCPY;
  copy.copyKind = CUPTI_ACTIVITY_MEMCPY_KIND_DTOH;
  copy.bytes = 4096;
  copy.start = 300;
  copy.end = 400;
  copy.correlationId = 6;
  bytes.add(copy);
  CUpti_ActivityMemset4 set{};
  set.kind = CUPTI_ACTIVITY_KIND_MEMSET;
  set.bytes = 64;
  set.start = 410;
  set.end = 411;
  set.correlationId = 7;
  bytes.add(set);
  bytes.add(scope_record(5, 0xabcdef0123456789));
  CUpti_ActivityAPI call{};
  call.kind = CUPTI_ACTIVITY_KIND_RUNTIME;
  call.cbid = CUPTI_RUNTIME_TRACE_CBID___cudaLaunchKernel_v13000;
  call.start = 90;
  call.end = 95;
  call.correlationId = 5;
  bytes.add(call);
  CUpti_ActivityGraphTrace2 graph{};
  graph.kind = CUPTI_ACTIVITY_KIND_GRAPH_TRACE;
  graph.start = 500;
  graph.end = 900;
  graph.correlationId = 8;
  graph.graphId = 3;
  graph.streamId = 13;
  bytes.add(graph);
  CUpti_ActivityOverhead3 overhead{};
  overhead.kind = CUPTI_ACTIVITY_KIND_OVERHEAD;
  overhead.overheadKind = CUPTI_ACTIVITY_OVERHEAD_CUPTI_BUFFER_FLUSH;
  overhead.start = 950;
  overhead.end = 960;
  overhead.overheadData = std::malloc(16);  // the reader's to free
  bytes.add(overhead);

  const Read got = read(reader, bytes, bytes.size());
  REQUIRE(got.activities.size() == 7);
  const auto& a = got.activities;
  CHECK(a[0].kind == ActivityKind::kernel);
  CHECK(a[0].start_ns == 100);
  CHECK(a[0].end_ns == 200);
  CHECK(a[0].device == 1);
  CHECK(a[0].stream == 13);
  CHECK(a[0].node == 77);
  CHECK(a[0].graph == 3);
  CHECK(std::string_view(a[0].name) == "gemv");
  CHECK(a[1].kind == ActivityKind::copy);
  CHECK(a[1].value == 4096);
  CHECK(std::string_view(a[1].name) == "copy device to host");
  CHECK(a[2].kind == ActivityKind::set);
  CHECK(a[2].value == 64);
  CHECK(a[3].kind == ActivityKind::scope);
  CHECK(a[3].value == 0xabcdef0123456789);
  CHECK(a[4].kind == ActivityKind::launch);
  CHECK(std::string_view(a[4].name) == "launch kernel");
  CHECK(a[5].kind == ActivityKind::graph);
  CHECK(a[5].correlation == 8);
  CHECK(a[6].kind == ActivityKind::overhead);
  CHECK(std::string_view(a[6].name) == "CUPTI: flush buffers");
  CHECK(got.counts.node_records == 1);
  CHECK(got.counts.cut_buffers == 0);
  CHECK(got.counts.unknown_records == 0);
}

TEST_CASE("RecordReader, a record that is cut off is lost and counted, those before it are not") {
  const RecordReader reader = reader_to_test(GENERATE(false, true));
  RecordBytes bytes;
  bytes.add(kernel_record(1, "first", 1, 2));
  bytes.add(kernel_record(2, "second", 3, 4));
  for (const std::size_t valid : {bytes.size() - 1, bytes.size() - 200, bytes.size() / 2 + 4}) {
    const Read got = read(reader, bytes, valid);
    REQUIRE(got.activities.size() == 1);
    CHECK(got.counts.cut_buffers == 1);
  }
  CHECK(read(reader, bytes, bytes.size() / 2).counts.cut_buffers == 0);
  CHECK(read(reader, bytes, 0).activities.empty());
}

TEST_CASE("RecordReader, bytes behind the last record that hold nothing are no loss") {
  const RecordReader reader = reader_to_test(GENERATE(false, true));
  RecordBytes bytes;
  bytes.add(kernel_record(1, "first", 1, 2));
  const std::size_t valid = bytes.size() + 24;
  bytes.add(CUpti_ActivityMemcpy6{});  // zeroes
  const Read got = read(reader, bytes, valid);
  CHECK(got.activities.size() == 1);
}

TEST_CASE("RecordReader, a kind that nobody knows ends the buffer and is counted") {
  const RecordReader reader = reader_to_test(GENERATE(false, true));
  RecordBytes bytes;
  bytes.add(kernel_record(1, "first", 1, 2));
  CUpti_ActivityKernel10 strange = kernel_record(2, "strange", 1, 2);
  strange.kind = static_cast<CUpti_ActivityKind>(0x7ffffff0);
  bytes.add(strange);
  bytes.add(kernel_record(3, "behind", 1, 2));
  const Read got = read(reader, bytes, bytes.size());
  CHECK(got.activities.size() == 1);
  CHECK(got.counts.cut_buffers == 1);
}

TEST_CASE("RecordReader, a kind that only the library knows is counted and stepped over") {
  const RecordReader reader = reader_to_test(true);
  RecordBytes bytes;
  CUpti_ActivitySynchronization2 other{};
  other.kind = CUPTI_ACTIVITY_KIND_SYNCHRONIZATION;
  bytes.add(other);
  bytes.add(kernel_record(3, "behind", 1, 2));
  const Read got = read(reader, bytes, bytes.size());
  CHECK(got.counts.unknown_records == 1);
  REQUIRE(got.activities.size() == 1);
  CHECK(std::string_view(got.activities[0].name) == "behind");
}

TEST_CASE("RecordReader, tells devices by name and number") {
  const RecordReader reader = reader_to_test(GENERATE(false, true));
  RecordBytes bytes;
  CUpti_ActivityDevice5 device{};
  device.kind = CUPTI_ACTIVITY_KIND_DEVICE;
  device.id = 1;
  device.name = "NVIDIA Test";
  for (int i = 0; i < 16; ++i) device.uuid.bytes[i] = static_cast<char>(0xf0 + i);
  bytes.add(device);
  const Read got = read(reader, bytes, bytes.size());
  REQUIRE(got.devices.size() == 1);
  CHECK(got.devices[0].index == 1);
  CHECK(got.devices[0].name == "NVIDIA Test");
  CHECK(got.devices[0].uuid == "GPU-f0f1f2f3-f4f5-f6f7-f8f9-fafbfcfdfeff");
}
