// Where a checkpoint says how its DMS gates work. Internal to engine/checkpoint.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>

#include "engine/checkpoint/config.hpp"

namespace engine {

// FastDMS form if `folder` has a dms_metadata.json or, failing that, its parent has a training_log.json; else
// NVIDIA form if `config`, the content of config.json, has dms_* keys or names a DMS class; else
// GateForm::none.
Result<DmsConfig> read_dms_config(const std::filesystem::path& folder, const nlohmann::json& config);

}  // namespace engine
