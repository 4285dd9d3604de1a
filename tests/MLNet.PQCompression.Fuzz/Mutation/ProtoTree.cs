namespace MLNet.PQCompression.Fuzz.Mutation;

/// <summary>A field of a message in Protocol Buffers' wire format: a number, bytes, or a message of fields.</summary>
internal sealed class ProtoField(int number, int wire)
{
    public int Number { get; set; } = number;

    public int Wire { get; set; } = wire;

    public ulong Value { get; set; }

    public byte[] Bytes { get; set; } = [];

    /// <summary>The fields, where the bytes are a message.</summary>
    public List<ProtoField>? Fields { get; set; }

    /// <summary>A copy to damage.</summary>
    public ProtoField Clone() => new(Number, Wire) { Value = Value, Bytes = Bytes, Fields = Fields?.ConvertAll(f => f.Clone()) };
}

/// <summary>An ONNX file as a tree of fields.</summary>
internal static class ProtoTree
{
    /// <summary>Which fields of which message are messages: (kind of message, field) to kind of message. Kinds are numbered as they come here.</summary>
    private static readonly Dictionary<(int, int), int> Messages = new()
    {
        [(0, 7)] = 1, [(0, 8)] = 2, [(0, 14)] = 3, // Model: graph, operator sets, metadata
        [(1, 1)] = 4, [(1, 5)] = 5, [(1, 11)] = 6, [(1, 12)] = 6, // Graph: nodes, tensors, inputs, outputs
        [(4, 5)] = 7, [(7, 5)] = 5, [(5, 13)] = 3, // Node: attributes; attribute: tensor; tensor: external data
        [(6, 2)] = 8, [(8, 1)] = 9, [(9, 2)] = 10, [(10, 1)] = 11, // Value: type, tensor type, shape, dimension
    };

    /// <summary>Reads a sound file.</summary>
    public static ProtoField Parse(byte[] file) => new(0, 2) { Fields = Fields(file, 0) };

    /// <summary>The bytes of a tree.</summary>
    public static byte[] Serialize(ProtoField root)
    {
        var stream = new MemoryStream();
        Write(root.Fields!, stream);
        return stream.ToArray();
    }

    private static List<ProtoField> Fields(ReadOnlySpan<byte> bytes, int kind)
    {
        var fields = new List<ProtoField>();
        for (int at = 0; at < bytes.Length;)
        {
            ulong tag = Varint(bytes, ref at);
            var field = new ProtoField((int)(tag >> 3), (int)(tag & 7));
            switch (field.Wire)
            {
                case 0:
                    field.Value = Varint(bytes, ref at);
                    break;
                case 2:
                    int length = (int)Varint(bytes, ref at);
                    if (Messages.TryGetValue((kind, field.Number), out int inner))
                        field.Fields = Fields(bytes.Slice(at, length), inner);
                    else
                        field.Bytes = bytes.Slice(at, length).ToArray();
                    at += length;
                    break;
                default:
                    int size = field.Wire == 5 ? 4 : 8;
                    field.Bytes = bytes.Slice(at, size).ToArray();
                    at += size;
                    break;
            }
            fields.Add(field);
        }
        return fields;
    }

    private static void Write(List<ProtoField> fields, MemoryStream stream)
    {
        foreach (ProtoField field in fields)
        {
            WriteVarint((ulong)(uint)field.Number << 3 | (uint)field.Wire, stream);
            if (field.Wire == 0)
            {
                WriteVarint(field.Value, stream);
                continue;
            }
            byte[] bytes = field.Bytes;
            if (field.Fields is not null)
            {
                var inner = new MemoryStream();
                Write(field.Fields, inner);
                bytes = inner.ToArray();
            }
            if (field.Wire == 2)
                WriteVarint((ulong)bytes.Length, stream);
            stream.Write(bytes);
        }
    }

    private static ulong Varint(ReadOnlySpan<byte> bytes, ref int at)
    {
        ulong value = 0;
        for (int shift = 0; ; shift += 7)
        {
            byte part = bytes[at++];
            value |= (ulong)(part & 0x7F) << shift;
            if (part < 0x80)
                return value;
        }
    }

    private static void WriteVarint(ulong value, MemoryStream stream)
    {
        for (; value >= 0x80; value >>= 7)
            stream.WriteByte((byte)(value | 0x80));
        stream.WriteByte((byte)value);
    }
}
