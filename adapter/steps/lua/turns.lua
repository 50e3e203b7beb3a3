-- Whose turn it is: for each function, a queue of the jobs that have ready steps for it (docs/decisions/0029).
--
-- The next step of every job in the queue has a time at which it is due, on a clock of the queue's own: the moment the
-- job got that far, plus the step's price, which is its weight divided by the job's share. The clock advances with the
-- work that is handed out, by its weight divided by the shares of all jobs in the queue. So a job is given work in
-- proportion to its share, whoever else comes; one that has been away gets no credit; and nobody waits forever.

-- A job's share is this, divided by the square root of what is left to do of it: whole numbers, so that they add up.
local SHARES = 1000000
-- Jobs with less than this to do have all the same share, in seconds of a typical machine.
local LEAST_LEFT = 60
-- How far an arrival advances the clock: jobs that come at once keep their order.
local ARRIVAL = 0.001

local function ready(job, name) return part(job, 'ready:' .. name) end
local function turns(name) return prefix .. 'turns:' .. name end
local function clock(name) return prefix .. 'turns:' .. name .. ':clock' end
local function bell(name) return prefix .. 'turns:' .. name .. ':bell' end
local function since(name) return prefix .. 'turns:' .. name .. ':since' end

-- The only place that says who gets how much. The jobs of a client of the runner API share what one job has: however many
-- it sends at once, the others have their turns.
local function choose_share(job)
  local found = call('HMGET', record(job), 'weight_total', 'weight_done', 'client')
  local left = math.max(LEAST_LEFT, (tonumber(found[1]) or 0) - (tonumber(found[2]) or 0))
  local sharing = found[3] and call('SCARD', jobs_of_client(found[3])) or 1
  return math.max(1, math.floor(SHARES / math.sqrt(left) / math.max(1, sharing)))
end

-- Its share while it is in a queue; 0 if its record is gone.
local function share(job) return tonumber(call('HGET', record(job), 'share') or 0) end

-- Say when a job's next ready step is due.
local function await_turn(job, name, from)
  local weight = cjson.decode(call('LINDEX', ready(job, name), 0)).weight
  call('ZADD', turns(name), from + weight * SHARES / math.max(1, share(job)), job)
end

-- A job has one more ready step. Adapters without work listen to the bell: it is rung when the first job comes, since
-- none listens while there are others.
local function enter_queue(job, name)
  call('HINCRBY', clock(name), 'steps', 1)
  if call('ZSCORE', turns(name), job) then return end
  if call('EXISTS', turns(name)) == 0 then call('XADD', bell(name), 'MAXLEN', 1, '*', 'job', job) end
  call('ZADD', since(name), now(), job)
  call('HINCRBY', clock(name), 'shares', share(job))
  await_turn(job, name, call('HINCRBYFLOAT', clock(name), 'time', ARRIVAL))
end

local function leave_queue(job, name)
  if call('ZREM', turns(name), job) == 0 then return end
  call('ZREM', since(name), job)
  if call('EXISTS', turns(name)) == 0 then
    call('DEL', clock(name))
  else
    call('HINCRBY', clock(name), 'shares', 0 - share(job))
    call('HINCRBY', clock(name), 'steps', 0 - call('LLEN', ready(job, name)))
  end
end

-- Take the step that is due first out of a function's queue. Returns its job, its id and its spec; nothing if there is
-- none.
local function next_turn(name)
  local first = call('ZRANGE', turns(name), 0, 0, 'WITHSCORES')
  if #first == 0 then return end
  local job, due = first[1], tonumber(first[2])
  local spec = call('LPOP', ready(job, name))
  if not spec then
    leave_queue(job, name)
    return next_turn(name)
  end
  local step = cjson.decode(spec)
  local found = call('HMGET', clock(name), 'time', 'shares')
  local time = tonumber(found[1] or 0) + step.weight * SHARES / math.max(1, tonumber(found[2] or 0))
  call('HSET', clock(name), 'time', time)
  call('HINCRBY', clock(name), 'steps', -1)
  if call('EXISTS', ready(job, name)) == 1 then
    await_turn(job, name, math.max(time, due))
    call('ZADD', since(name), now(), job)
  else
    leave_queue(job, name)
  end
  return job, step.id, spec
end
