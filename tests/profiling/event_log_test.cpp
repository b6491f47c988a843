#include "profiling/event_log.hpp"

#include <catch2/catch_test_macros.hpp>

#include "profiling/byte_codec.hpp"

using namespace profiling;

TEST_CASE("Varints, extreme numbers come back") {
  for (const std::int64_t value : {std::int64_t{0}, std::int64_t{-1}, std::int64_t{63}, std::int64_t{-64},
                                   std::int64_t{64}, INT64_MAX, INT64_MIN}) {
    Blob bytes;
    put_varint(bytes, value);
    std::size_t at = 0;
    std::int64_t read = 0;
    REQUIRE(get_varint(bytes, at, read));
    CHECK(read == value);
    CHECK(at == bytes.size());
    bytes.pop_back();
    at = 0;
    CHECK_FALSE(get_varint(bytes, at, read));
  }
}

TEST_CASE("Varints, a number of more than 64 bits is refused") {
  const Blob bytes(11, 0xff);
  std::size_t at = 0;
  std::int64_t value = 0;
  CHECK_FALSE(get_varint(bytes, at, value));
}

TEST_CASE("EventLogCodec, entries come back in order") {
  EventLogCodec writer, reader;
  Blob bytes;
  writer.encode({.kind = EventKind::run_started}, bytes);
  writer.encode(
      {.kind = EventKind::gates_decided, .sequence = 3, .first_position = 100, .count = 16, .step = 7},
      bytes);
  writer.encode(
      {.kind = EventKind::gates_decided, .sequence = 3, .first_position = 110, .count = 1, .step = 6}, bytes);
  writer.encode({.kind = EventKind::occupancy_changed, .sequence = 3}, bytes);
  writer.encode({.kind = EventKind::spans_recorded, .count = 153}, bytes);
  std::size_t at = 0;
  EventLogEntry entry;
  REQUIRE(reader.decode(bytes, at, entry));
  CHECK(entry.kind == EventKind::run_started);
  REQUIRE(reader.decode(bytes, at, entry));
  CHECK(entry.first_position == 100);
  REQUIRE(reader.decode(bytes, at, entry));
  CHECK(entry.first_position == 110);
  CHECK(entry.step == 6);
  CHECK(entry.count == 1);
  REQUIRE(reader.decode(bytes, at, entry));
  CHECK(entry.sequence == 3);
  REQUIRE(reader.decode(bytes, at, entry));
  CHECK(entry.count == 153);
  CHECK(at == bytes.size());
}

TEST_CASE("EventLogCodec, a decode step of one sequence takes few bytes") {
  EventLogCodec writer;
  Blob bytes;
  for (std::int64_t step = 0; step < 100; ++step) {
    writer.encode({.kind = EventKind::token_added}, bytes);
    writer.encode({.kind = EventKind::gates_decided, .first_position = step, .count = 1, .step = step},
                  bytes);
    writer.encode({.kind = EventKind::occupancy_changed}, bytes);
    writer.encode({.kind = EventKind::step_finished}, bytes);
  }
  CHECK(bytes.size() == 900);
}

TEST_CASE("EventLogCodec, cut and unknown entries are refused") {
  EventLogCodec reader;
  EventLogEntry entry;
  std::size_t at = 0;
  CHECK_FALSE(reader.decode(Blob{0x7f}, at, entry));
  at = 0;
  CHECK_FALSE(reader.decode(Blob{3, 0}, at, entry));
}
