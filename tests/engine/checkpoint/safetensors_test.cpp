// The safetensors header: what is accepted, and that everything malformed is refused by name.
#include "engine/checkpoint/safetensors.hpp"

#include <sys/stat.h>

#include <catch2/catch_test_macros.hpp>
#include <cstring>

#include "tests/engine/checkpoint/refusal.hpp"
#include "tests/support/checkpoint_builder.hpp"
#include "tests/support/temp_folder.hpp"

namespace {

const std::string kFile = "dir/model.safetensors";

engine::Result<engine::SafetensorsHeader> parse(const std::string& bytes) {
  return engine::parse_safetensors({reinterpret_cast<const std::byte*>(bytes.data()), bytes.size()}, kFile);
}

engine::Result<engine::SafetensorsHeader> parse(const std::string& header, std::size_t data_bytes) {
  return parse(support::safetensors_bytes(header, std::string(data_bytes, '\0')));
}

void check_header_refused(const std::string& header, std::size_t data_bytes, const std::string& named) {
  INFO("header: " << header.substr(0, 200));
  check_refused(parse(header, data_bytes), {kFile, named});
}

std::string tensor(const std::string& name, const std::string& body) {
  return "{\"" + name + "\":{" + body + "}}";
}

}  // namespace

TEST_CASE("Safetensors, a well-formed header gives every tensor its type, shape and bytes") {
  std::string data = "abcdefgh";
  const std::string header =
      R"({"__metadata__":{"format":"pt"},"second":{"dtype":"U8","shape":[2],"data_offsets":[6,8]},)"
      R"("first":{"shape":[3,1],"data_offsets":[0,6],"dtype":"BF16"},)"
      R"("empty":{"dtype":"F32","shape":[4,0],"data_offsets":[6,6]}}   )";
  const std::string bytes = support::safetensors_bytes(header, data);
  const auto parsed = parse(bytes);
  REQUIRE(parsed);
  CHECK(parsed->metadata.at("format") == "pt");
  REQUIRE(parsed->tensors.size() == 3);
  const auto& first = parsed->tensors.at("first");
  CHECK(first.dtype == "BF16");
  CHECK(first.shape == std::vector<std::int64_t>{3, 1});
  CHECK(first.bytes == 6);
  CHECK(std::memcmp(first.data, "abcdef", 6) == 0);
  CHECK(std::memcmp(parsed->tensors.at("second").data, "gh", 2) == 0);
  CHECK(parsed->tensors.at("empty").bytes == 0);
}

TEST_CASE("Safetensors, a scalar, a file without tensors and sub-byte elements are accepted") {
  CHECK(parse("{}", 0));
  CHECK(parse(tensor("scalar", R"("dtype":"F32","shape":[],"data_offsets":[0,4])"), 4));
  CHECK(parse(tensor("packed", R"("dtype":"F4","shape":[3,2],"data_offsets":[0,3])"), 3));
}

TEST_CASE("Safetensors, lengths that the file cannot have are refused") {
  const std::string good =
      support::safetensors_bytes(tensor("a", R"("dtype":"U8","shape":[2],"data_offsets":[0,2])"), "xy");
  REQUIRE(parse(good));
  for (std::size_t kept = 0; kept < good.size(); ++kept) {
    INFO("cut to " << kept << " bytes");
    check_refused(parse(good.substr(0, kept)), {kFile});
  }
  check_refused(parse(good + "z"), {kFile, "2 bytes of data", "3"});
  std::string long_header = good;
  long_header[4] = 1;  // 4 GiB more
  check_refused(parse(long_header), {kFile, "100000000"});
  check_refused(parse(std::string(8, '\xff')), {kFile, "100000000"});
}

TEST_CASE("Safetensors, a header that is not one JSON object is refused") {
  check_header_refused("", 0, "JSON object");
  check_header_refused("[]", 0, "JSON object");
  check_header_refused(" {}", 0, "JSON object");
  check_header_refused("{", 0, "JSON");
  check_header_refused("{}{}", 0, "JSON");
  check_header_refused("{\"a\":\"\xff\"}", 0, "JSON");
  check_header_refused(std::string("{}\0", 3), 0, "JSON");
  check_header_refused(R"({"a":1})", 0, "'a'");
  check_header_refused(R"({"a":null})", 0, "'a'");
  check_header_refused(R"({"a":[]})", 0, "'a'");
}

TEST_CASE("Safetensors, deep nesting is refused without using the stack") {
  const std::size_t depth = 20'000'000;
  check_refused(parse(R"({"deep":)" + std::string(depth, '['), 0), {kFile, "deep"});
  check_refused(parse(R"({"t":{"dtype":"U8","shape":)" + std::string(depth, '['), 0),
                {kFile, "tensor t", "shape"});
}

TEST_CASE("Safetensors, metadata other than strings is refused") {
  check_header_refused(R"({"__metadata__":{"k":1}})", 0, "__metadata__ 'k'");
  check_header_refused(R"({"__metadata__":{"k":{}}})", 0, "__metadata__ 'k'");
  check_header_refused(R"({"__metadata__":{"k":"a","k":"b"}})", 0, "'k' appears twice");
  check_header_refused(R"({"__metadata__":{},"__metadata__":{}})", 0, "__metadata__ appears twice");
  check_header_refused(R"({"__metadata__":"k"})", 0, "__metadata__");
}

TEST_CASE("Safetensors, tensors with missing, repeated or foreign keys are refused") {
  const auto refused = [](const std::string& body, const std::string& named) {
    check_header_refused(tensor("w", body), 4, "tensor w: " + named);
  };
  refused(R"("shape":[1],"data_offsets":[0,4])", "dtype is missing");
  refused(R"("dtype":"F32","data_offsets":[0,4])", "shape is missing");
  refused(R"("dtype":"F32","shape":[1])", "data_offsets");
  refused(R"("dtype":"F32","dtype":"F32","shape":[1],"data_offsets":[0,4])", "key 'dtype' appears twice");
  refused(R"("dtype":"F32","shape":[1],"shape":[1],"data_offsets":[0,4])", "key 'shape' appears twice");
  refused(R"("dtype":"F32","shape":[1],"data_offsets":[0,4],"data_offsets":[0,4])",
          "key 'data_offsets' appears");
  refused(R"("dtype":"F32","shape":[1],"data_offsets":[0,4],"stride":[1])", "unknown key 'stride'");
  check_header_refused(R"({"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},)"
                       R"("w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})",
                       4, "tensor w: appears twice");
}

TEST_CASE("Safetensors, unknown dtypes are refused") {
  for (const char* dtype : {"\"F33\"", "\"f32\"", "\"\"", "1", "null", "[\"F32\"]", "{}"}) {
    const std::string body = std::string("\"dtype\":") + dtype + R"(,"shape":[1],"data_offsets":[0,4])";
    check_header_refused(tensor("w", body), 4, "tensor w: dtype");
  }
}

TEST_CASE("Safetensors, shapes that are negative, fractional, nested or overflow are refused") {
  for (const char* shape : {"[-1]", "[1.0]", "[1e0]", "[\"1\"]", "[[1]]", "[null]", "1", "{}",
                            "[18446744073709551615]", "[99999999999999999999999]"}) {
    const std::string body = std::string(R"("dtype":"F32","shape":)") + shape + R"(,"data_offsets":[0,4])";
    check_header_refused(tensor("w", body), 4, "tensor w: shape");
  }
  // The product wraps around to 4 bytes in 64 bits.
  check_header_refused(tensor("w", R"("dtype":"F32","shape":[4611686018427387905,1],"data_offsets":[0,4])"),
                       4, "tensor w: shape");
  check_header_refused(tensor("w", R"("dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,4])"),
                       4, "tensor w: shape");
  check_header_refused(tensor("w", R"("dtype":"F4","shape":[3],"data_offsets":[0,1])"), 1, "tensor w: shape");
  std::string ones = "1";
  for (int i = 0; i < 64; ++i) ones += ",1";
  check_header_refused(tensor("w", R"("dtype":"F32","shape":[)" + ones + R"(],"data_offsets":[0,4])"), 4,
                       "more than 64 dimensions");
}

TEST_CASE("Safetensors, sizes that shape and dtype do not give are refused") {
  check_header_refused(tensor("w", R"("dtype":"F32","shape":[2],"data_offsets":[0,4])"), 4,
                       "tensor w: shape and dtype");
  check_header_refused(tensor("w", R"("dtype":"F16","shape":[1],"data_offsets":[0,4])"), 4,
                       "tensor w: shape and dtype");
  check_header_refused(tensor("w", R"("dtype":"F32","shape":[0],"data_offsets":[0,4])"), 4,
                       "tensor w: shape and dtype");
}

TEST_CASE("Safetensors, offsets that are swapped, out of bounds or malformed are refused") {
  for (const char* offsets :
       {"[4,0]", "[0,8]", "[8,12]", "[0]", "[]", "[0,4,4]", "[-4,0]", "[0.0,4]", "\"0,4\"", "4",
        "[0,18446744073709551615]", "[0,18446744073709551620]", "[[0],4]"}) {
    const std::string body = std::string(R"("dtype":"F32","shape":[1],"data_offsets":)") + offsets;
    check_header_refused(tensor("w", body), 4, "tensor w: data_offsets");
  }
}

TEST_CASE("Safetensors, tensors that overlap or leave holes are refused") {
  const auto two = [](const std::string& a, const std::string& b) {
    return R"({"a":{"dtype":"U8","shape":[2],"data_offsets":)" + a +
           R"(},"b":{"dtype":"U8","shape":[2],"data_offsets":)" + b + "}}";
  };
  REQUIRE(parse(two("[0,2]", "[2,4]"), 4));
  REQUIRE(parse(two("[2,4]", "[0,2]"), 4));
  check_header_refused(two("[0,2]", "[1,3]"), 3, "tensor b: data_offsets begin at 1, which overlaps");
  check_header_refused(two("[0,2]", "[0,2]"), 2, "overlaps");
  check_header_refused(two("[0,2]", "[3,5]"), 5, "tensor b: data_offsets begin at 3, which leaves a hole");
  check_header_refused(two("[1,3]", "[3,5]"), 5, "tensor a: data_offsets begin at 1, which leaves a hole");
  check_header_refused(two("[0,2]", "[2,4]"), 5, "cover 4 bytes");
  check_header_refused("{}", 1, "cover 0 bytes");
}

TEST_CASE("Safetensors, names with control characters stay on one line of the message") {
  check_header_refused(tensor(R"(a\nb\u001b)", R"("dtype":"F99","shape":[1],"data_offsets":[0,4])"), 4,
                       "tensor a?b?");
  check_header_refused(tensor(std::string(100'000, 'x'), R"("dtype":"F99")"), 4, "xxx...");
}

TEST_CASE("Safetensors, more tensors than any checkpoint has are refused") {
  std::string header = "{";
  for (int i = 0; i <= 262'144; ++i) {
    header +=
        (i == 0 ? "\"" : ",\"") + std::to_string(i) + R"(":{"dtype":"U8","shape":[0],"data_offsets":[0,0]})";
  }
  check_header_refused(header + "}", 0, "more than 262144 tensors");
}

TEST_CASE("SafetensorsFile, opens a file and keeps it mapped") {
  const support::TempFolder folder;
  support::write_file(folder / "a.safetensors",
                      support::safetensors_bytes({{"w", {{2}, "F32", {1.5F, -2}}}}));
  const auto file = engine::SafetensorsFile::open(folder / "a.safetensors");
  REQUIRE(file);
  std::filesystem::remove(folder / "a.safetensors");
  float values[2] = {};
  std::memcpy(values, (*file)->header().tensors.at("w").data, sizeof values);
  CHECK(values[0] == 1.5F);
  CHECK(values[1] == -2);
}

TEST_CASE("SafetensorsFile, what is no regular file is refused at once") {
  const support::TempFolder folder;
  check_refused(engine::SafetensorsFile::open(folder / "absent"), {"absent", "No such file"});
  std::filesystem::create_directory(folder / "folder");
  check_refused(engine::SafetensorsFile::open(folder / "folder"), {"folder", "regular file"});
  REQUIRE(::mkfifo((folder / "fifo").c_str(), 0600) == 0);
  check_refused(engine::SafetensorsFile::open(folder / "fifo"), {"fifo", "regular file"});
  std::filesystem::create_symlink("loop", folder / "loop");
  check_refused(engine::SafetensorsFile::open(folder / "loop"), {"loop", "cannot be opened"});
  support::write_file(folder / "empty", "");
  check_refused(engine::SafetensorsFile::open(folder / "empty"), {"empty", "it is empty"});
  check_refused(engine::SafetensorsFile::open("/dev/zero"), {"/dev/zero", "regular file"});
}
