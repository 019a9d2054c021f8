-- The calls that read, and those that go back, copy and delete.

calls['load'] = function()
    local found = checkpoint(ARGV[4], tonumber(ARGV[5]), tonumber(ARGV[6]))
    return found and {'ok', found} or {'missing'}
end

calls['history'] = function()
    return {'ok', redis.call('LRANGE', history, ARGV[4], ARGV[5])}
end

-- All that is kept of an agent's states, to look for one that can be read.
calls['states'] = function()
    local states = redis.call('ZRANGE', state_of(ARGV[4]), 0, -1, 'WITHSCORES')
    return {'ok', redis.call('ZRANGE', versions, 0, -1), states}
end

calls['versions'] = function()
    return {'ok', redis.call('ZRANGE', versions, 0, -1)}
end

-- ARGV: first name, last name, how many, not written to since (microseconds, or empty), where keys begin
calls['conversations'] = function()
    local before = tonumber(ARGV[7])
    local names = redis.call('ZRANGEBYLEX', index, ARGV[4], ARGV[5], 'LIMIT', 0, ARGV[6])
    local found = {}
    for _, each in ipairs(names) do
        local start = ARGV[8] .. #each .. ':' .. each .. '}'
        local about = redis.call('HMGET', start .. ':head', 'version', 'created', 'updated')
        if about[1] and not (before and tonumber(about[3]) >= before) then
            local count = redis.call('LLEN', start .. ':messages')
            found[#found + 1] = {each, about[1], count, about[2], about[3], redis.call('HGETALL', start .. ':agents')}
        end
    end
    return {'ok', #names, names[#names] or '', found}
end

calls['info'] = function()
    return {'ok', redis.call('ZCARD', index), redis.call('HGET', totals, 'messages') or '0'}
end

calls['rewind'] = function()
    local version = tonumber(ARGV[4])
    local count = count_at(version)
    if count and is_busy() then
        return {'busy'}
    elseif not count then
        return {'missing', version_now()}
    end
    count_messages(count - redis.call('LLEN', history))
    if count == 0 then
        redis.call('DEL', history)
    else
        redis.call('LTRIM', history, 0, count - 1)
    end
    redis.call('ZREMRANGEBYSCORE', versions, '(' .. ARGV[4], '+inf')
    for _, agent in ipairs(redis.call('HKEYS', agents)) do
        redis.call('ZREMRANGEBYSCORE', state_of(agent), '(' .. ARGV[4], '+inf')
        local last = redis.call('ZREVRANGE', state_of(agent), 0, 0)[1]
        if last then
            redis.call('HSET', agents, agent, string.match(last, '^%d+ %-$') and '0' or '1')
        else
            redis.call('HDEL', agents, agent)
        end
    end
    local all = redis.call('HGETALL', receipts)
    for n = 1, #all, 2 do
        local receipt = receipt_of(all[n])
        if receipt[1] >= count then
            redis.call('HDEL', receipts, all[n])
            redis.call('SREM', unanswered, all[n])
        elseif receipt[3] > count then
            redis.call('HSET', receipts, all[n], cmsgpack.pack({receipt[1], receipt[2], -1, ''}))
            redis.call('SADD', unanswered, all[n])
        end
    end
    end_lease()
    return {'ok', write_version(nil)}
end

-- KEYS: and where the copy's keys begin; ARGV: the version or empty, and the copy's name in the index
calls['fork'] = function()
    local copy, now_at = KEYS[4], version_now()
    local version = tonumber(ARGV[4]) or now_at
    local count = count_at(version)
    if now_at == 0 then
        return {'missing', version_now()}
    end
    local there = redis.call('HGET', copy .. ':head', 'version')
    if there then
        return {'conflict', tonumber(there)}
    elseif not count then
        return {'missing', version_now()}
    end
    redis.call('HSET', copy .. ':head', 'version', version, 'created', now_us, 'updated', now_us)
    redis.call('ZADD', index, 0, ARGV[5])
    if count > 0 then
        redis.call('COPY', history, copy .. ':messages')
        redis.call('LTRIM', copy .. ':messages', 0, count - 1)
    end
    count_messages(count)
    redis.call('COPY', versions, copy .. ':versions')
    redis.call('ZREMRANGEBYSCORE', copy .. ':versions', '(' .. version, '+inf')
    for _, agent in ipairs(redis.call('HKEYS', agents)) do
        local target = copy .. ':state:' .. agent
        redis.call('COPY', state_of(agent), target)
        redis.call('ZREMRANGEBYSCORE', target, '(' .. version, '+inf')
        local last = redis.call('ZREVRANGE', target, 0, 0)[1]
        if last then
            redis.call('HSET', copy .. ':agents', agent, string.match(last, '^%d+ %-$') and '0' or '1')
        end
    end
    return {'ok', version}
end

calls['delete_state'] = function()
    local agent = ARGV[4]
    if redis.call('HGET', agents, agent) ~= '1' then
        return {'ok', 0}
    end
    local version = version_now() + 1
    redis.call('ZADD', state_of(agent), version, version .. ' -')
    redis.call('HSET', agents, agent, '0')
    write_version(agent)
    return {'ok', 1}
end

calls['delete_messages'] = function()
    local count = redis.call('LLEN', history)
    if count == 0 then
        return {'ok', 0}
    end
    count_messages(-count)
    redis.call('DEL', history, versions)
    for _, agent in ipairs(redis.call('HKEYS', agents)) do
        redis.call('ZREMRANGEBYRANK', state_of(agent), 0, -2)
    end
    local all = redis.call('HGETALL', receipts)
    for n = 1, #all, 2 do
        local receipt = receipt_of(all[n])
        if receipt[3] < 0 then
            redis.call('HDEL', receipts, all[n])
        else
            redis.call('HSET', receipts, all[n], cmsgpack.pack({0, receipt[2], 0, receipt[4]}))
        end
    end
    redis.call('DEL', unanswered)
    write_version(nil)
    return {'ok', count}
end

calls['delete'] = function()
    local version = version_now()
    if ARGV[4] ~= '' and ARGV[4] ~= string.format('%.0f', version) then
        return {'conflict', version}
    elseif version == 0 then
        return {'ok', 0, 0, 0, 0}
    end
    local count, states = redis.call('LLEN', history), 0
    local all = redis.call('HGETALL', agents)
    for n = 1, #all, 2 do
        states = states + tonumber(all[n + 1])
        redis.call('UNLINK', state_of(all[n]))
    end
    local in_line = redis.call('LLEN', line)
    redis.call('UNLINK', head, history, versions, agents, line, waiting, receipts, unanswered)
    redis.call('ZREM', index, name)
    count_messages(-count)
    return {'ok', 1, count, states, in_line}
end

return calls[ARGV[1]]()
