-- One conversation in Redis: its keys, its clock, and what all calls need. The other files stand behind this one.
--
-- KEYS: where the conversation's keys begin, the index of all conversations, the counters of the store
-- ARGV: the call, the conversation's name in the index, how many versions are kept (0: all), the call's arguments
--
-- head         hash: version, created and updated (microseconds), lease, until, seconds, running, placed, once, result
-- messages     list of JSON texts
-- versions     sorted set by version: "version messages microseconds -", or "+agent" for the agent whose state changed
-- agents       hash: agent -> "1", or "0" when its last state was removed
-- state:AGENT  sorted set by version: "version journey's-version JSON", or "version -" for a removed one
-- line         list of the ids of messages that wait; waiting: hash: id -> message, remember, merges, until, seconds
-- receipts     hash: id -> position, remember, end (-1: unanswered), result; unanswered: set of the ids without an end

local base, index, totals = KEYS[1], KEYS[2], KEYS[3]
local name, keep = ARGV[2], tonumber(ARGV[3])
local head, history, versions, agents = base .. ':head', base .. ':messages', base .. ':versions', base .. ':agents'
local line, waiting = base .. ':line', base .. ':waiting'
local receipts, unanswered = base .. ':receipts', base .. ':unanswered'

local time = redis.call('TIME')
local now = tonumber(time[1]) + tonumber(time[2]) / 1000000
local now_us = string.format('%.0f', tonumber(time[1]) * 1000000 + tonumber(time[2]))
local calls = {}

local function state_of(agent)
    return base .. ':state:' .. agent
end

local function version_now()
    return tonumber(redis.call('HGET', head, 'version')) or 0
end

-- A lease, or a place in line, never holds longer than it was given for, also when the clock was set back.
local function held(until_s, seconds)
    return now < until_s and until_s <= now + seconds + 1
end

local function is_busy()
    local lease = redis.call('HMGET', head, 'lease', 'until', 'seconds')
    return lease[1] and held(tonumber(lease[2]), tonumber(lease[3]))
end

local function end_lease()
    redis.call('HDEL', head, 'lease', 'until', 'seconds', 'running', 'placed')
end

local function count_messages(more)
    if more ~= 0 then
        redis.call('HINCRBY', totals, 'messages', more)
    end
end

-- How many messages a version had; nil when it is not kept.
local function count_at(version)
    local found = redis.call('ZRANGEBYSCORE', versions, version, version)
    return found[1] and tonumber(string.match(found[1], '^%d+ (%d+)'))
end

local function checkpoint(agent, max_messages, at_version)
    local version, count = version_now(), redis.call('LLEN', history)
    if at_version and at_version ~= version then
        version, count = at_version, count_at(at_version)
        if not count then
            return nil
        end
    end
    local row = redis.call('ZREVRANGEBYSCORE', state_of(agent), version, '-inf', 'LIMIT', 0, 1)
    local first = max_messages < 0 and 0 or math.max(0, count - max_messages)
    local messages = first < count and redis.call('LRANGE', history, first, count - 1) or {}
    return {version, row[1] or false, count, messages}
end

-- Drop the versions beyond those kept, and the states that only they had.
local function prune()
    local many = redis.call('ZCARD', versions) - keep
    if keep == 0 or many <= 0 then
        return
    end
    local rows = redis.call('ZRANGE', versions, 0, many, 'WITHSCORES') -- the texts may be damaged
    redis.call('ZREMRANGEBYRANK', versions, 0, many - 1)
    local first = rows[#rows]
    for n = 1, #rows, 2 do
        local agent = string.match(rows[n], '^%d+ %d+ %d+ %+(.*)$')
        if agent then
            local found = redis.call('ZREVRANGEBYSCORE', state_of(agent), first, '-inf', 'WITHSCORES', 'LIMIT', 0, 1)
            if found[2] then
                redis.call('ZREMRANGEBYSCORE', state_of(agent), '-inf', '(' .. found[2])
            end
        end
    end
end

-- The receipt of a message: position, remember, end, result; nil when there is none. Of a damaged one is known whether
-- the message was answered, and no more: its answer counts as empty.
local function receipt_of(id)
    local packed = redis.call('HGET', receipts, id)
    if not packed then
        return nil
    end
    local is_sound, receipt = pcall(cmsgpack.unpack, packed)
    if is_sound and type(receipt) == 'table' and type(receipt[1]) == 'number' and type(receipt[2]) == 'string'
        and type(receipt[3]) == 'number' and type(receipt[4]) == 'string' then
        return receipt
    end
    if redis.call('SISMEMBER', unanswered, id) == 1 then
        return {redis.call('LLEN', history), '1', -1, ''}
    end
    return {0, '1', 0, ''}
end

-- Count a write; `agent` is the one whose state it wrote or removed.
local function write_version(agent)
    local version = redis.call('HINCRBY', head, 'version', 1)
    redis.call('HSET', head, 'updated', now_us)
    if redis.call('HSETNX', head, 'created', now_us) == 1 then
        redis.call('ZADD', index, 0, name)
    end
    local row = version .. ' ' .. redis.call('LLEN', history) .. ' ' .. now_us .. ' ' .. (agent and '+' .. agent or '-')
    redis.call('ZADD', versions, version, row)
    prune()
    return version
end
