-- Give the keys of the jobs' database the names of this version, all at once: see earlier_names.py.
--
--   KEYS[1]  the prefix of the names of earlier versions
--   KEYS[2]  the prefix of the names of this version
--   ARGV     the keys, without their prefix
--
-- Returns the keys that cannot be renamed since both versions keep something under them that cannot be put together;
-- then nothing was changed. Normally nothing has the new names yet: both are there only if an earlier version ran again
-- after this one.

local call = redis.call
local function old(name) return KEYS[1] .. name end
local function new(name) return KEYS[2] .. name end
local function kind(key) return call('TYPE', key).ok end

-- Streams without entries hold nothing. What else may go: the bell's latest ring, a queue's clock without its queue,
-- and the time of a recovery.
local function is_void(name)
  if name == 'recovery' or string.find(name, '^turns:.*:bell$') then return true end
  local queue = string.match(name, '^(turns:.*):clock$')
  if queue then return call('EXISTS', old(queue)) == 0 end
  return kind(old(name)) == 'stream' and call('XLEN', old(name)) == 0
end

local JOIN = {
  jobs = function(from, to) call('ZUNIONSTORE', to, 2, to, from, 'AGGREGATE', 'MAX') end,
  live = function(from, to) call('SUNIONSTORE', to, to, from) end,
  dead = function(from, to)
    for _, letter in ipairs(call('XRANGE', from, '-', '+')) do call('XADD', to, '*', unpack(letter[2])) end
  end,
}

local function is_replaceable(name)
  return kind(new(name)) == 'stream' and kind(old(name)) == 'stream' and call('XLEN', new(name)) == 0
end

local kept = {}
for _, name in ipairs(ARGV) do
  if call('EXISTS', old(name)) == 1 and call('EXISTS', new(name)) == 1 and not is_void(name) and not JOIN[name]
    and not is_replaceable(name) then
    kept[#kept + 1] = name
  end
end
if #kept > 0 then return kept end

for _, name in ipairs(ARGV) do
  -- another adapter may have carried it over since it was found
  if call('EXISTS', old(name)) == 1 and call('RENAMENX', old(name), new(name)) == 0 then
    if is_void(name) then
      call('DEL', old(name))
    elseif is_replaceable(name) then
      call('RENAME', old(name), new(name))
    else
      JOIN[name](old(name), new(name))
      call('DEL', old(name))
    end
  end
end
return kept
