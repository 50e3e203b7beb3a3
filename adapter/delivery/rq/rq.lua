-- RQ's jobs, each change at once. ARGV: operation, queue, and what follows. RQ's keys (rq 2.10 to 2.12):
--
--   rq:queues              set of the keys of all queues
--   rq:queue:<queue>       list of the ids of queued jobs; a worker moves one to rq:queue:<queue>:intermediate
--   rq:job:<id>            hash
--   rq:results:<id>        stream of results
--   rq:executions:<id>     sorted set of executions, each with rq:execution:<id>:<execution>
--   rq:wip:<queue>, rq:finished:<queue>, rq:failed:<queue>   sorted sets: registries

local operation, queue = ARGV[1], ARGV[2]
local list = 'rq:queue:' .. queue
local intermediate = list .. ':intermediate'

local function status_of(id)
    return redis.call('HGET', 'rq:job:' .. id, 'status')
end

local function remove(id)
    local executions = 'rq:executions:' .. id
    for _, execution in ipairs(redis.call('ZRANGE', executions, 0, -1)) do
        redis.call('DEL', 'rq:execution:' .. id .. ':' .. execution)
        redis.call('ZREM', 'rq:wip:' .. queue, id .. ':' .. execution)
    end
    redis.call('LREM', list, 1, id)
    redis.call('LREM', intermediate, 1, id)
    redis.call('ZREM', 'rq:finished:' .. queue, id)
    redis.call('ZREM', 'rq:failed:' .. queue, id)
    redis.call('DEL', 'rq:job:' .. id, 'rq:results:' .. id, executions, 'rq:job:' .. id .. ':dependents')
end

local operations = {}

-- Adds a job, unless one of an earlier attempt, or of this one, is of use; rings the bell. Returns its id.
-- bell, number of ids, ids (this attempt's first), then fields and values of the hash
function operations.add()
    local bell, count = ARGV[3], tonumber(ARGV[4])
    local own, wanted = ARGV[5], nil
    for place = 5, 4 + count do
        local status = status_of(ARGV[place])
        if status == 'queued' or status == 'started' or status == 'finished' then
            wanted = wanted or ARGV[place]
        elseif status then
            remove(ARGV[place])
        end
    end
    if not wanted then
        wanted = own
        redis.call('HSET', 'rq:job:' .. own, unpack(ARGV, 5 + count))
        redis.call('SADD', 'rq:queues', list)
        redis.call('RPUSH', list, own)
    end
    redis.call('XADD', bell, 'MAXLEN', '1', '*', 'job', wanted)
    redis.call('EXPIRE', bell, 86400)
    return wanted
end

-- Removes jobs, whatever became of them. ids
function operations.remove()
    for place = 3, #ARGV do
        remove(ARGV[place])
    end
end

-- Removes a job that is still as it was seen. id, status, worker; returns 1 if it is removed
function operations.give_up()
    local id, status, worker = ARGV[3], ARGV[4], ARGV[5]
    if status_of(id) ~= status then
        return 0
    end
    if worker ~= '' and redis.call('HGET', 'rq:job:' .. id, 'worker_name') ~= worker then
        return 0
    end
    remove(id)
    return 1
end

-- Puts a job that was taken, and not begun, back to the front of the queue. id
function operations.put_back()
    if redis.call('LREM', intermediate, 1, ARGV[3]) == 1 and status_of(ARGV[3]) == 'queued' then
        redis.call('LPUSH', list, ARGV[3])
    end
end

return operations[operation]()
