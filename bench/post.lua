-- Requests that were signed beforehand: every line of the file is path, signature and body, divided by tabs.
local requests = {}
local at = 0

function init(arguments)
  for line in io.lines(arguments[1]) do
    local path, signature, body = line:match("^(%S+)\t(%S+)\t(.*)$")
    requests[#requests + 1] = wrk.format("POST", path, {
      ["Content-Type"] = "application/json",
      ["User-Agent"] = "facebookexternalua",
      ["X-Hub-Signature-256"] = "sha256=" .. signature,
    }, body)
  end
end

function request()
  at = at % #requests + 1
  return requests[at]
end
