-- What a request asks, in words that are the same for all who ask the same: not as it was typed, and not whether its answer
-- is to come in pieces.
local decode = require("cjson.safe").decode
local concat, sort, format = table.concat, table.sort, string.format

local write

local function writeTable(value, out, count)
    if value[1] ~= nil then
        for i = 1, #value do
            out[count + 1] = i == 1 and "[" or ","
            count = write(value[i], out, count + 1)
        end
        out[count + 1] = "]"
        return count + 1
    end
    local names = {}
    for name in pairs(value) do names[#names + 1] = name end
    sort(names)
    out[count + 1] = "{"
    count = count + 1
    for i = 1, #names do
        count = write(names[i], out, count)
        count = write(value[names[i]], out, count)
    end
    out[count + 1] = "}"
    return count + 1
end

function write(value, out, count)
    local kind = type(value)
    if kind == "table" then return writeTable(value, out, count) end
    if kind == "string" then
        out[count + 1], out[count + 2], out[count + 3] = #value, ":", value
        return count + 3
    end
    out[count + 1] = kind == "number" and format("%.17g ", value) or tostring(value)
    return count + 1
end

return function(body)
    local request = decode(body)
    if type(request) ~= "table" or type(request.model) ~= "string" then return nil end
    request.stream, request.stream_options = nil, nil
    local out = {}
    write(request, out, 0)
    return concat(out)
end
