using System.Buffers.Binary;
using System.Text;
using MLNet.PQCompression.Formats.Safetensors;
using MLNet.PQCompression.Fuzz.Mutation;
using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Fuzz.Targets;

/// <summary>safetensors: the header's words are changed, doubled and removed.</summary>
internal sealed class SafetensorsTarget : IFuzzTarget
{
    private const string Header = """
        {"__metadata__":{"format":"pt"},"a.weight":{"dtype":"F32","shape":[2,2,2],"data_offsets":[0,32]},"b":{"dtype":"F16","shape":[4],"data_offsets":[32,40]},"n":{"dtype":"I64","shape":[],"data_offsets":[40,48]}}
        """;

    private static readonly string[] Words =
    [
        "{", "}", "[", "]", ",", ":", "null", "true", "1e3", "0.5", "-0", "\"dtype\"", "\"shape\"", "\"data_offsets\"", "\"F64\"", "\"BF16\"", "\"BOOL\"", "\"U64\"", "\"U8\"",
        "\"a.weight\"", "\"\\ud800\"", "\"\"", "[[[[[[[[[[", "{\"x\":", "99999999999999999999999",
    ];

    private readonly string[] _words = [.. Split(Header)];

    public string Name => "safetensors";

    public IEnumerable<byte[]> Sound => [Around(Encoding.UTF8.GetBytes(Header), Encoding.UTF8.GetByteCount(Header))];

    public byte[] Make(Random random)
    {
        var words = new List<string>(_words);
        for (int i = random.Next(0, 4); i > 0; i--)
        {
            int at = random.Next(words.Count);
            switch (random.Next(6))
            {
                case 0:
                    words.RemoveAt(at);
                    break;
                case 1:
                    words.Insert(at, words[random.Next(words.Count)]);
                    break;
                case 2:
                    words[at] = Words[random.Next(Words.Length)];
                    break;
                case 3:
                    int count = Math.Min(random.Next(1, 20), words.Count - at);
                    words.InsertRange(at, words.GetRange(at, count));
                    break;
                default:
                    at = words.FindIndex(at, w => char.IsAsciiDigit(w[0]));
                    if (at >= 0)
                        words[at] = Numbers.Any(random, long.TryParse(words[at], out long old) ? old : 0).ToString();
                    break;
            }
        }
        byte[] header = Encoding.UTF8.GetBytes(string.Concat(words));
        byte[] file = Around(header, random.Next(16) == 0 ? Numbers.Any(random, header.Length) : header.Length);
        return random.Next(8) == 0 ? ByteMutator.Mutate(file, random) : file;
    }

    public Outcome Run(byte[] file)
    {
        SafetensorsFile.Read(file, "damaged");
        return Outcome.Read;
    }

    public bool IsDocumented(Exception exception) => exception is InvalidModelException;

    private static byte[] Around(byte[] header, long claimed)
    {
        byte[] length = new byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(length, claimed);
        return [.. length, .. header, .. new byte[48]];
    }

    /// <summary>Cuts JSON into strings, numbers and signs.</summary>
    private static IEnumerable<string> Split(string json)
    {
        for (int at = 0; at < json.Length;)
        {
            int end = at + 1;
            if (json[at] == '"')
                end = json.IndexOf('"', at + 1) + 1;
            else if (char.IsAsciiDigit(json[at]))
                while (end < json.Length && char.IsAsciiDigit(json[end]))
                    end++;
            yield return json[at..end];
            at = end;
        }
    }
}
