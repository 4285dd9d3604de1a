using System.Buffers.Binary;
using System.Text;

namespace MLNet.PQCompression.Fuzz.Mutation;

/// <summary>Damages a pickle opcode by opcode: opcodes that are missing, doubled or elsewhere, other numbers, other names to import.</summary>
internal static class PickleMutator
{
    private static readonly string[] Globals =
    [
        "os\nsystem\n", "builtins\neval\n", "collections\nOrderedDict\n", "torch._utils\n_rebuild_tensor\n", "torch._utils\n_rebuild_tensor_v2\n",
        "torch._utils\n_rebuild_parameter\n", "torch._tensor\n_rebuild_from_type_v2\n", "torch\nSize\n", "torch\nFloatStorage\n", "torch\nHalfStorage\n",
        "torch\nByteStorage\n", "torch\nLongStorage\n", "torch\nComplexFloatStorage\n", "argparse\nNamespace\n", "numpy.core.multiarray\nscalar\n",
    ];

    private static readonly byte[] Plain = [.. "(012N}])lteaudsbRQo.\u0085\u0086\u0087\u0088\u0089\u0081\u008f\u0090\u0091\u0092\u0093\u0094\u0097\u0098".Select(c => (byte)c)];

    /// <summary>Damages the opcodes of a pickle in a few places.</summary>
    public static byte[] Mutate(IReadOnlyList<byte[]> opcodes, Random random)
    {
        var changed = new List<byte[]>(opcodes);
        for (int i = random.Next(1, 4); i > 0 && changed.Count > 1; i--)
        {
            int at = random.Next(changed.Count), other = random.Next(changed.Count);
            switch (random.Next(10))
            {
                case 0:
                    changed.RemoveAt(at);
                    break;
                case 1:
                    changed.Insert(at, changed[other]);
                    break;
                case 2:
                    (changed[at], changed[other]) = (changed[other], changed[at]);
                    break;
                case 3:
                    changed.Insert(at, [Plain[random.Next(Plain.Length)]]);
                    break;
                case 4:
                    int count = Math.Min(random.Next(1, 12), changed.Count - at);
                    changed.InsertRange(other, changed.GetRange(at, count));
                    break;
                case 5:
                    changed[at] = ByteMutator.Mutate(changed[at], random) is { Length: > 0 } bytes ? bytes : changed[other];
                    break;
                default:
                    changed[at] = OtherArgument(changed[at], random);
                    break;
            }
        }
        return Join(changed);
    }

    /// <summary>Puts parts together.</summary>
    public static byte[] Join(IReadOnlyList<byte[]> parts)
    {
        byte[] whole = new byte[parts.Sum(p => p.Length)];
        int at = 0;
        foreach (byte[] part in parts)
        {
            part.CopyTo(whole, at);
            at += part.Length;
        }
        return whole;
    }

    /// <summary>Cuts a pickle into its opcodes with their arguments.</summary>
    public static List<byte[]> Split(byte[] pickle)
    {
        var opcodes = new List<byte[]>();
        for (int at = 0; at < pickle.Length;)
        {
            int length = 1 + Argument(pickle.AsSpan(at));
            opcodes.Add(pickle[at..(at + length)]);
            at += length;
        }
        return opcodes;
    }

    private static int Argument(ReadOnlySpan<byte> at) => (char)at[0] switch
    {
        '\x80' or 'K' or 'q' or 'h' => 1,
        'M' => 2,
        'J' or 'r' or 'j' => 4,
        'G' => 8,
        '\x8a' or '\x8c' or 'U' => 1 + at[1],
        'X' => 4 + BinaryPrimitives.ReadInt32LittleEndian(at[1..]),
        'c' => at.IndexOf((byte)'\n') + at[(at.IndexOf((byte)'\n') + 1)..].IndexOf((byte)'\n') + 1,
        _ => 0,
    };

    private static byte[] OtherArgument(byte[] opcode, Random random)
    {
        switch ((char)opcode[0])
        {
            case '\x8a' or 'K' or 'M' or 'J':
                long old = opcode.Length == 10 ? BinaryPrimitives.ReadInt64LittleEndian(opcode.AsSpan(2)) : opcode.Length > 1 ? opcode[1] : 0;
                byte[] number = [0x8a, 8, 0, 0, 0, 0, 0, 0, 0, 0];
                BinaryPrimitives.WriteInt64LittleEndian(number.AsSpan(2), Numbers.Any(random, old));
                return number;
            case 'c':
                return [(byte)'c', .. Encoding.ASCII.GetBytes(Globals[random.Next(Globals.Length)])];
            case 'X':
                string[] texts = ["storage", "0", "1", "cpu", "state_dict", "model", "a.codes_matrix", "a.codebook", "centroids", "assignments", "n_averaged", "module.x"];
                byte[] text = Encoding.ASCII.GetBytes(texts[random.Next(texts.Length)]);
                return [(byte)'X', (byte)text.Length, 0, 0, 0, .. text];
            default:
                return [Plain[random.Next(Plain.Length)]];
        }
    }
}
