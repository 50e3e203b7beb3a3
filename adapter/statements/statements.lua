-- Every change to statements that must be atomic, so that a crash at any moment causes a redelivery and never a loss.
-- The keys are described in adapter/redis/keys.py.
--
--   KEYS[1]  the stream of statements
--   KEYS[2]  the stream of dead letters
--   ARGV[1]  the operation, one of the functions of `operations` below
--   ARGV[2…] its arguments, named in store.py

local stream, dead = KEYS[1], KEYS[2]
local GROUP = 'adapter'
local call = redis.call

-- Acknowledge an entry and delete it: it is finished.
local function drop(entry)
  call('XACK', stream, GROUP, entry)
  call('XDEL', stream, entry)
end

-- Turn an entry into a dead letter with its problem, once, however many adapters report it. An entry that is not a
-- statement is kept as a message: its fields as a JSON list.
local function dead_letter(entry, problem)
  local found = call('XRANGE', stream, entry, entry)[1]
  if found then
    local fields = found[2]
    if #fields == 2 and fields[1] == 'statement' then
      call('XADD', dead, '*', 'kind', 'statement', 'statement', fields[2], 'problem', problem)
    else
      call('XADD', dead, '*', 'kind', 'message', 'queue', stream, 'raw', cjson.encode(fields), 'problem', problem)
    end
  end
  drop(entry)
end

-- Fields and values in turn, as a table.
local function fields_of(flat)
  local found = {}
  for i = 1, #flat, 2 do found[flat[i]] = flat[i + 1] end
  return found
end

-- KEDA asks how many entries are unread (`lag`), which Redis 7 does not always know: not after the latest entry that was
-- read is deleted, which it takes for one of them, and it is wrong after its append-only file was read. But what was read
-- is pending or deleted, and nothing else is deleted here, so it can be told. Source: docs/decisions/0057.
local function mend_lag()
  for _, flat in ipairs(redis.pcall('XINFO', 'GROUPS', stream)) do
    local group = fields_of(flat)
    local unread = math.max(0, call('XLEN', stream) - group.pending)
    if group.name == GROUP and group.lag ~= nil and group.lag ~= unread then
      local about = fields_of(call('XINFO', 'STREAM', stream))
      redis.pcall('XSETID', stream, about['last-generated-id'], 'ENTRIESADDED', about['entries-added'],
        'MAXDELETEDID', '0-1')
      redis.pcall('XGROUP', 'SETID', stream, GROUP, group['last-delivered-id'], 'ENTRIESREAD',
        about['entries-added'] - unread)
    end
  end
end

local operations = {}

-- Arguments: statements.
function operations.append()
  for i = 2, #ARGV do call('XADD', stream, '*', 'statement', ARGV[i]) end
  mend_lag()
end

-- Without arguments: what is to be done now and then.
function operations.sweep()
  mend_lag()
end

-- Arguments: how many entries the LRS has accepted, their ids, then pairs of an entry's id and its problem.
function operations.settle()
  local first_refused = 3 + ARGV[2]
  for i = 3, first_refused - 1 do drop(ARGV[i]) end
  for i = first_refused, #ARGV, 2 do dead_letter(ARGV[i], ARGV[i + 1]) end
  mend_lag()
end

-- Argument: a dead letter's id. Returns 1 if its statement is in the stream again, 0 if there is no such dead letter.
function operations.replay()
  local found = call('XRANGE', dead, ARGV[2], ARGV[2])[1]
  if not found then return 0 end
  local fields = {}
  for i = 1, #found[2], 2 do fields[found[2][i]] = found[2][i + 1] end
  if fields.kind ~= 'statement' then return 0 end
  call('XADD', stream, '*', 'statement', fields.statement)
  call('XDEL', dead, ARGV[2])
  mend_lag()
  return 1
end

return operations[ARGV[1]]()
