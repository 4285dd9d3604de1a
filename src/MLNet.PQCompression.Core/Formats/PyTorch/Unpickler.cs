using System.Buffers.Binary;
using System.Globalization;
using System.Numerics;
using System.Runtime.InteropServices;
using System.Text;
using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Formats.PyTorch;

/// <summary>
/// A pickle machine (protocols 0 to 5) that can build dictionaries, lists, tuples, numbers, strings and torch tensors, and nothing else: it imports nothing and
/// calls nothing, and every other object that the pickle describes becomes a <see cref="PickleOpaque"/>. Work and memory are bounded by the number of opcodes.
/// </summary>
internal sealed class Unpickler(ReadOnlyMemory<byte> data, int position = 0)
{
    private const int MaxOpcodes = 4_000_000;
    private const int MaxIntegerBytes = 32;

    private static readonly object Mark = new();
    private static readonly PickleOpaque Set = new(new("builtins", "set"));

    private readonly List<object?> _stack = [];
    private readonly Dictionary<long, object?> _memo = [];
    private readonly Dictionary<string, PickleStorage> _storages = new(StringComparer.Ordinal);

    /// <summary>Where the next pickle, or whatever follows, begins.</summary>
    public int Position { get; private set; } = position;

    /// <summary>The storages that the pickles named, also those of objects that were not built.</summary>
    public IReadOnlyDictionary<string, PickleStorage> Storages => _storages;

    /// <summary>Reads one pickle.</summary>
    /// <exception cref="InvalidModelException">It is malformed or asks for something that is refused.</exception>
    public object? Load()
    {
        _stack.Clear();
        _memo.Clear();
        for (int i = 0; i < MaxOpcodes; i++)
        {
            var opcode = (char)Byte();
            if (opcode == '.')
                return Pop();
            Execute(opcode);
        }
        throw new InvalidModelException($"the pickle has more than {MaxOpcodes} opcodes");
    }

    private void Execute(char opcode)
    {
        switch (opcode)
        {
            case '\x80': // PROTO
                if (Byte() is > 5 and var protocol)
                    throw new InvalidModelException($"pickle protocol {protocol} is not known");
                break;
            case '\x95': Take(8); break; // FRAME
            case '(': Push(Mark); break;
            case '0': Pop(); break;
            case '1': PopToMark(); break;
            case '2': Push(Peek()); break;

            case 'N': Push(null); break;
            case '\x88': Push(true); break;
            case '\x89': Push(false); break;
            case 'I': Push(ParseInteger(Line())); break;
            case 'L': Push(ParseInteger(Line().TrimEnd('L'))); break;
            case 'J': Push((long)BinaryPrimitives.ReadInt32LittleEndian(Take(4))); break;
            case 'K': Push((long)Byte()); break;
            case 'M': Push((long)BinaryPrimitives.ReadUInt16LittleEndian(Take(2))); break;
            case '\x8a': Push(Integer(Take(Byte()))); break;
            case '\x8b': Push(Integer(Take(BinaryPrimitives.ReadInt32LittleEndian(Take(4))))); break;
            case 'F': Push(double.TryParse(Line(), CultureInfo.InvariantCulture, out double value) ? value : throw Malformed("a number")); break;
            case 'G': Push(BinaryPrimitives.ReadDoubleBigEndian(Take(8))); break;

            case 'X': Push(Text(BinaryPrimitives.ReadUInt32LittleEndian(Take(4)))); break;
            case '\x8c': Push(Text(Byte())); break;
            case '\x8d': Push(Text(BinaryPrimitives.ReadInt64LittleEndian(Take(8)))); break;
            case 'V': Push(Line()); break;
            case 'S': Push(Line().Trim('\'', '"')); break;
            case 'T': Push(Text(BinaryPrimitives.ReadInt32LittleEndian(Take(4)))); break;
            case 'U': Push(Text(Byte())); break;
            case 'B': Push(Take(BinaryPrimitives.ReadUInt32LittleEndian(Take(4))).ToArray()); break;
            case 'C': Push(Take(Byte()).ToArray()); break;
            case '\x8e': Push(Take(BinaryPrimitives.ReadInt64LittleEndian(Take(8))).ToArray()); break;

            case ']': Push(new List<object?>()); break;
            case 'l': Push(new List<object?>(PopToMark())); break;
            case 'a': Append([Pop()]); break;
            case 'e': Append(PopToMark()); break;
            case ')': Push(new PickleTuple([])); break;
            case 't': Push(new PickleTuple(PopToMark())); break;
            case '\x85': Push(new PickleTuple(PopLast(1))); break;
            case '\x86': Push(new PickleTuple(PopLast(2))); break;
            case '\x87': Push(new PickleTuple(PopLast(3))); break;
            case '}': Push(new PickleDict()); break;
            case 'd':
                object?[] entries = PopToMark();
                Push(new PickleDict());
                SetItems(entries);
                break;
            case 's': SetItems(PopLast(2)); break;
            case 'u': SetItems(PopToMark()); break;

            case 'p': Memorize(ParseInteger(Line())); break;
            case 'q': Memorize((long)Byte()); break;
            case 'r': Memorize((long)BinaryPrimitives.ReadUInt32LittleEndian(Take(4))); break;
            case '\x94': Memorize((long)_memo.Count); break;
            case 'g': Recall(ParseInteger(Line())); break;
            case 'h': Recall((long)Byte()); break;
            case 'j': Recall((long)BinaryPrimitives.ReadUInt32LittleEndian(Take(4))); break;

            case 'c': Push(new PickleGlobal(Line(), Line())); break;
            case '\x93': // STACK_GLOBAL
                Push(PopLast(2) is [string module, string name] ? new PickleGlobal(module, name) : throw Malformed("a global's name"));
                break;
            case 'R' or '\x81': Make(PopLast(2)); break; // REDUCE, NEWOBJ
            case '\x92': Make(PopLast(3)[..2]); break; // NEWOBJ_EX
            case 'i': // INST
                var type = new PickleGlobal(Line(), Line());
                Make([type, new PickleTuple(PopToMark())]);
                break;
            case 'o': // OBJ
                object?[] parts = PopToMark();
                Make([parts.FirstOrDefault(), new PickleTuple(parts.Length > 0 ? parts[1..] : [])]);
                break;
            case 'b': // BUILD: attributes of a dictionary (state_dict's _metadata) or of an opaque object, which no reader needs.
                Pop();
                if (Peek() is not (PickleDict or PickleOpaque))
                    throw new InvalidModelException("the pickle sets attributes of something that has none, which is refused");
                break;
            case '\x8f': Push(Set); break;
            case '\x90': Append(PopToMark()); break;
            case '\x91':
                PopToMark();
                Push(Set);
                break;
            case '\x82': Extension(1); break;
            case '\x83': Extension(2); break;
            case '\x84': Extension(4); break;
            case 'P': Push(new PickleOpaque(new("persistent", Line()))); break;
            case 'Q': Push(Remember(TorchTypes.Persistent(Pop()))); break;
            case '\x96': Push(Take(BinaryPrimitives.ReadInt64LittleEndian(Take(8))).ToArray()); break; // BYTEARRAY8
            case '\x98': Peek(); break; // READONLY_BUFFER
            default:
                throw new InvalidModelException($"the pickle has opcode 0x{(int)opcode:x2} at byte {Position - 1}, which is refused");
        }
    }

    private byte Byte() => Take(1)[0];

    private ReadOnlySpan<byte> Take(long count)
    {
        if (count < 0 || count > data.Length - Position)
            throw new InvalidModelException($"the pickle ends early: {count} bytes are wanted at byte {Position} of {data.Length}");
        ReadOnlySpan<byte> bytes = data.Span.Slice(Position, (int)count);
        Position += (int)count;
        return bytes;
    }

    private string Text(long count) => Encoding.UTF8.GetString(Take(count));

    private string Line()
    {
        int length = data.Span[Position..].IndexOf((byte)'\n');
        if (length < 0)
            throw new InvalidModelException($"the pickle ends early: a line that starts at byte {Position} has no end");
        string line = Text(length);
        Position++;
        return line;
    }

    private static object ParseInteger(string text) => text switch
    {
        "00" => false,
        "01" => true,
        _ => long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long value) ? value : throw Malformed("an integer"),
    };

    private static object Integer(ReadOnlySpan<byte> bytes) => bytes.Length switch
    {
        0 => (object)0L,
        <= 8 => (long)new BigInteger(bytes),
        <= MaxIntegerBytes => new BigInteger(bytes),
        _ => throw new InvalidModelException($"the pickle has an integer of {bytes.Length} bytes"),
    };

    private void Push(object? value) => _stack.Add(value);

    private object? Peek() => _stack.Count > 0 ? _stack[^1] : throw Malformed("the stack");

    private object? Pop() => PopLast(1)[0];

    private object?[] PopLast(int count)
    {
        if (_stack.Count < count)
            throw Malformed("the stack");
        object?[] items = [.. CollectionsMarshal.AsSpan(_stack)[^count..]];
        if (items.Contains(Mark))
            throw Malformed("the stack");
        _stack.RemoveRange(_stack.Count - count, count);
        return items;
    }

    private object?[] PopToMark()
    {
        int mark = _stack.LastIndexOf(Mark);
        if (mark < 0)
            throw Malformed("the stack");
        object?[] items = [.. CollectionsMarshal.AsSpan(_stack)[(mark + 1)..]];
        _stack.RemoveRange(mark, _stack.Count - mark);
        return items;
    }

    private void Append(object?[] items)
    {
        if (Peek() is PickleOpaque)
            return;
        if (Peek() is not List<object?> list)
            throw Malformed("a list");
        list.AddRange(items);
    }

    private void Make(object?[] call) => Push(call switch
    {
        [PickleGlobal function, PickleTuple arguments] => TorchTypes.Call(function, arguments.Items),
        [PickleOpaque made, PickleTuple] => made,
        _ => throw Malformed("a call"),
    });

    private void Extension(int bytes)
    {
        Take(bytes);
        Push(new PickleOpaque(new("copyreg", "extension")));
    }

    private object Remember(object persistent)
    {
        if (persistent is PickleStorage storage && !_storages.TryAdd(storage.Key, storage) && _storages[storage.Key].Type != storage.Type)
            throw new InvalidModelException($"the storage '{storage.Key}' is used both as {_storages[storage.Key].Type} and as {storage.Type}");
        return persistent;
    }

    private void SetItems(object?[] items)
    {
        if (Peek() is PickleOpaque)
            return;
        if (items.Length % 2 != 0 || Peek() is not PickleDict dictionary)
            throw Malformed("a dictionary");
        for (int i = 0; i < items.Length; i += 2)
            if (items[i] is string key)
                dictionary[key] = items[i + 1];
    }

    private void Memorize(object index) => _memo[index as long? ?? throw Malformed("the memo")] = Peek();

    private void Recall(object index) =>
        Push(_memo.TryGetValue(index as long? ?? throw Malformed("the memo"), out object? value) ? value : throw Malformed("the memo"));

    private static InvalidModelException Malformed(string what) => new($"the pickle is malformed ({what})");
}
