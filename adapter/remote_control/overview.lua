-- Which jobs have begun, and which wait. Nothing is changed.
--
--   KEYS[1]  the set of the jobs that have not ended
--   ARGV[1]  how the keys of jobs' records begin
--   ARGV[2]  the state of a job that has not begun
--   ARGV[3]  how many jobs of each type that have begun to name at most, oldest first
--   ARGV[4]  how many that wait
--
-- Returns the ids of those that have begun, the ids of those that wait, and, flat, for each type how many wait.

local WAITS, begun_limit, waiting_limit = ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local rows = {}
for _, id in ipairs(redis.call('SMEMBERS', KEYS[1])) do
  local found = redis.call('HMGET', ARGV[1] .. id, 'state', 'type', 'accepted_at')
  if found[1] then rows[#rows + 1] = { tonumber(found[3]) or 0, id, found[1], found[2] or '' } end
end
table.sort(rows, function(one, other)
  if one[1] ~= other[1] then return one[1] < other[1] end
  return one[2] < other[2]
end)

local begun, waiting, named, counts = {}, {}, {}, {}
for _, row in ipairs(rows) do
  local _, id, state, type_ = unpack(row)
  local list, slot, limit = begun, 'begun ' .. type_, begun_limit
  if state == WAITS then
    list, slot, limit = waiting, type_, waiting_limit
    counts[type_] = (counts[type_] or 0) + 1
  end
  named[slot] = (named[slot] or 0) + 1
  if named[slot] <= limit then list[#list + 1] = id end
end
local flat = {}
for type_, count in pairs(counts) do flat[#flat + 1], flat[#flat + 2] = type_, count end
return { begun, waiting, flat }
