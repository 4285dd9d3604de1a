using System.Buffers.Binary;
using System.Text;
using System.Text.Unicode;

namespace MLNet.PQCompression.Formats.Onnx;

/// <summary>
/// Reads one message of Protocol Buffers' wire format, field after field, without copying bytes. Of each field one of the methods below may be called; a field
/// that none has read, or that is stored in another way than the method reads, is passed over.
/// </summary>
/// <remarks>Every method that reads throws <see cref="InvalidDataException"/> where the message ends too early or is malformed.</remarks>
internal ref struct ProtoReader(ReadOnlyMemory<byte> message)
{
    private const int VarintWire = 0, Fixed64Wire = 1, BytesWire = 2, Fixed32Wire = 5;

    private readonly ReadOnlyMemory<byte> _message = message;
    private readonly ReadOnlySpan<byte> _bytes = message.Span;
    private int _at = 0, _wire = 0;
    private bool _unread = false;

    /// <summary>The number of the field that comes next.</summary>
    public int Field { get; private set; }

    /// <summary>Goes to the next field; false at the end.</summary>
    public bool Next()
    {
        if (_unread)
            Skip();
        if (_at == _bytes.Length)
            return false;
        ulong tag = Varint();
        if (tag is < 8 or > uint.MaxValue)
            throw Malformed();
        (Field, _wire, _unread) = ((int)(tag >> 3), (int)(tag & 7), true);
        return true;
    }

    /// <summary>Reads an integer.</summary>
    public void Integer(ref long value)
    {
        if (Begins(VarintWire))
            value = (long)Varint();
    }

    /// <summary>Reads the low 32 bits of an integer.</summary>
    public void Integer(ref int value)
    {
        long wide = value;
        Integer(ref wide);
        value = (int)wide;
    }

    /// <summary>Reads a float32.</summary>
    public void Float(ref float value)
    {
        if (Begins(Fixed32Wire))
            value = BinaryPrimitives.ReadSingleLittleEndian(Take(4));
    }

    /// <summary>Reads a string; false where the field is something else.</summary>
    public bool Text(ref string value)
    {
        if (!Begins(BytesWire))
            return false;
        ReadOnlySpan<byte> text = Take(Length());
        value = Utf8.IsValid(text) ? Encoding.UTF8.GetString(text) : throw new InvalidDataException("A string is not UTF-8.");
        return true;
    }

    /// <summary>Reads bytes or an embedded message, a part of this message's memory; false where the field is something else.</summary>
    public bool Bytes(out ReadOnlyMemory<byte> value)
    {
        value = default;
        if (!Begins(BytesWire))
            return false;
        int length = Length();
        value = _message.Slice(_at, length);
        _at += length;
        return true;
    }

    /// <summary>Adds one integer, or as many as are packed.</summary>
    public void Integers(IntegerList values)
    {
        if (Begins(VarintWire))
            values.Add((long)Varint());
        else if (Bytes(out ReadOnlyMemory<byte> packed))
            for (var reader = new ProtoReader(packed); reader._at < packed.Length;)
                values.Add((long)reader.Varint());
    }

    /// <summary>Adds the bytes of one number of a fixed size, little-endian, or of as many as are packed.</summary>
    /// <param name="values">Receives them.</param>
    /// <param name="size">4 or 8 bytes.</param>
    public void Numbers(ref MemoryStream? values, int size)
    {
        if (Begins(size == 4 ? Fixed32Wire : Fixed64Wire))
            (values ??= new()).Write(Take(size));
        else if (Begins(BytesWire))
            (values ??= new()).Write(Take(Length() is var length && length % size == 0 ? length : throw Malformed()));
    }

    private bool Begins(int wire)
    {
        if (_wire != wire || !_unread)
            return false;
        _unread = false;
        return true;
    }

    private void Skip()
    {
        _unread = false;
        if (_wire == VarintWire)
            Varint();
        else
            Take(_wire switch { Fixed64Wire => 8, Fixed32Wire => 4, BytesWire => Length(), _ => throw Malformed() });
    }

    private static InvalidDataException Malformed() => new("The message is malformed or truncated.");

    private int Length() => Varint() is <= int.MaxValue and var length && (int)length <= _bytes.Length - _at ? (int)length : throw Malformed();

    private ReadOnlySpan<byte> Take(int count)
    {
        if (count > _bytes.Length - _at)
            throw Malformed();
        _at += count;
        return _bytes.Slice(_at - count, count);
    }

    private ulong Varint()
    {
        ulong value = 0;
        for (int shift = 0; shift < 64 && _at < _bytes.Length; shift += 7)
        {
            byte part = _bytes[_at++];
            value |= (ulong)(part & 0x7F) << shift;
            if (part < 0x80)
                return value;
        }
        throw Malformed();
    }
}
