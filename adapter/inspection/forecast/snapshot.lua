-- What forecasts need of jobs; nothing is changed. KEYS[1]: the prefix of every key; KEYS[2]: see basics.lua;
-- ARGV[1]: JSON {jobs, fields, functions}. Returns for each job its fields, then the lengths of its list of stages and
-- of its lists of ready steps.
local wanted = cjson.decode(ARGV[1])
local answers = {}
for i, job in ipairs(wanted.jobs) do
  local record = KEYS[1] .. 'job:' .. job
  local found = redis.call('HMGET', record, unpack(wanted.fields))
  found[#found + 1] = redis.call('LLEN', record .. ':stages')
  for _, name in ipairs(wanted.functions) do found[#found + 1] = redis.call('LLEN', record .. ':ready:' .. name) end
  answers[i] = found
end
return answers
