-- The calls of runs: who begins, who waits, who writes.

local function wait_for(id, message, remember, merges, until_s, seconds)
    redis.call('HSET', waiting, id, cmsgpack.pack({message, remember, merges, until_s, seconds}))
end

-- Put the messages that leave the line at the end of the history.
local function place(ids)
    for _, id in ipairs(ids) do
        local each = cmsgpack.unpack(redis.call('HGET', waiting, id))
        local position = redis.call('RPUSH', history, each[1]) - 1
        redis.call('HSET', receipts, id, cmsgpack.pack({position, each[2], -1, ''}))
        redis.call('SADD', unanswered, id)
        redis.call('HDEL', waiting, id)
    end
    redis.call('LTRIM', line, #ids, -1)
    count_messages(#ids)
    write_version(nil)
end

calls['begin'] = function()
    local agent, id, message, remember = ARGV[4], ARGV[5], ARGV[6], ARGV[7]
    local seconds, on_busy, max_messages, token = tonumber(ARGV[8]), ARGV[9], tonumber(ARGV[10]), ARGV[11]
    if redis.call('HGET', head, 'lease') == token then -- this very call, whose answer was lost
        return {'begun', redis.call('HGET', head, 'placed'), checkpoint(agent, max_messages)}
    end
    local receipt = receipt_of(id)
    if receipt then
        local first, last = receipt[1] + 1, receipt[3] - 1
        if receipt[3] >= 0 then
            local messages = first <= last and redis.call('LRANGE', history, first, last) or {}
            return {'answered', version_now(), messages, receipt[4], receipt[2], receipt[1] + 1}
        end
    end

    local ids, ahead, in_line = redis.call('LRANGE', line, 0, -1), nil, false
    local function in_place(n)
        return cmsgpack.unpack(redis.call('HGET', waiting, ids[n]))
    end
    for n, each in ipairs(ids) do
        if each == id then
            local own = in_place(n)
            ahead, in_line = n - 1, true
            wait_for(id, own[1], own[2], own[3], now + seconds, seconds)
            break
        end
    end
    ahead = ahead or #ids
    local free = not is_busy()
    for n = 1, receipt and 0 or ahead do
        if not free then
            break
        end
        local other = in_place(n)
        free = not held(other[4], other[5])
    end
    if not free then
        if not receipt and not in_line and on_busy ~= 'reject' then
            redis.call('RPUSH', line, id)
            wait_for(id, message, remember, on_busy == 'merge', now + seconds, seconds)
        end
        return {'waiting', receipt and 0 or ahead}
    end

    local placed = 0
    if not receipt then
        local leaving = {}
        for n = 1, ahead do
            leaving[n] = ids[n]
        end
        leaving[ahead + 1] = id
        if in_line then
            local n = ahead + 2
            while ids[n] and in_place(n)[3] do
                leaving[n] = ids[n]
                n = n + 1
            end
        else
            wait_for(id, message, remember, false, now, seconds)
        end
        place(leaving)
        placed = #leaving
    end
    local until_s = string.format('%.17g', now + seconds)
    redis.call('HSET', head, 'lease', token, 'until', until_s, 'seconds', ARGV[8], 'running', id, 'placed', placed)
    return {'begun', placed, checkpoint(agent, max_messages)}
end

-- Drop a receipt whose answer has been fetched, and that nobody wants remembered.
calls['forget'] = function()
    local receipt = receipt_of(ARGV[4])
    if receipt and receipt[2] == '0' and receipt[3] >= 0 then
        redis.call('HDEL', receipts, ARGV[4])
    end
    return {'ok'}
end

local function finish(result)
    local count, running = redis.call('LLEN', history), redis.call('HGET', head, 'running')
    local own = running and receipt_of(running)
    if own and own[2] == '0' then -- whoever finishes knows the answer
        redis.call('HDEL', receipts, running)
        redis.call('SREM', unanswered, running)
    end
    for _, id in ipairs(redis.call('SMEMBERS', unanswered)) do
        local receipt = receipt_of(id)
        if receipt then
            redis.call('HSET', receipts, id, cmsgpack.pack({receipt[1], receipt[2], count, result}))
        end
    end
    redis.call('DEL', unanswered)
    end_lease()
end

calls['commit'] = function()
    local agent, expected, lease, once = ARGV[4], ARGV[5], ARGV[6], ARGV[7]
    local state_version, state, result = ARGV[8], ARGV[9], ARGV[10]
    local before = redis.call('HMGET', head, 'lease', 'once', 'result')
    if before[2] == once then -- this very call, whose answer was lost
        return {'ok', tonumber(before[3])}
    end
    local version = version_now()
    if lease ~= '' and before[1] ~= lease then
        return {'lost', version}
    end
    if expected ~= '' and expected ~= string.format('%.0f', version) then
        return {'conflict', version}
    end
    if state ~= '' then
        redis.call('ZADD', state_of(agent), version + 1, (version + 1) .. ' ' .. state_version .. ' ' .. state)
        redis.call('HSET', agents, agent, '1')
    end
    for n = 11, #ARGV, 1000 do
        redis.call('RPUSH', history, unpack(ARGV, n, math.min(n + 999, #ARGV)))
    end
    count_messages(#ARGV - 10)
    if result ~= '' then
        finish(result)
    end
    version = write_version(state ~= '' and agent or nil)
    redis.call('HSET', head, 'once', once, 'result', version)
    return {'ok', version}
end

calls['renew'] = function()
    if redis.call('HGET', head, 'lease') ~= ARGV[4] then
        return {'ok', 0}
    end
    redis.call('HSET', head, 'until', string.format('%.17g', now + tonumber(ARGV[5])), 'seconds', ARGV[5])
    return {'ok', 1}
end

calls['release'] = function()
    if redis.call('HGET', head, 'lease') == ARGV[4] then
        end_lease()
    end
    return {'ok'}
end

calls['withdraw'] = function()
    redis.call('LREM', line, 1, ARGV[4])
    return {'ok', redis.call('HDEL', waiting, ARGV[4])}
end
