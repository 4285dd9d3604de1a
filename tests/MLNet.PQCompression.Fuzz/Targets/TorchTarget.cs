using System.Buffers.Binary;
using MLNet.PQCompression.Architectures;
using MLNet.PQCompression.Formats.PyTorch;
using MLNet.PQCompression.Fuzz.Mutation;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Tests.Formats.PyTorch;

namespace MLNet.PQCompression.Fuzz.Targets;

/// <summary>What torch.save writes, as a zip or as the run of pickles of earlier versions; of a thousandth the architecture is looked for.</summary>
internal sealed class TorchTarget(bool zip) : IFuzzTarget
{
    private readonly List<byte[]>[] _pickles = [.. Pickles().Select(PickleMutator.Split)];
    private int _runs;

    public string Name => zip ? "torch-zip" : "torch-legacy";

    public IEnumerable<byte[]> Sound => _pickles.Select(PickleMutator.Join).Select(p => zip ? StoredZip.Make(p, null) : Legacy(p, null));

    public byte[] Make(Random random)
    {
        List<byte[]> opcodes = _pickles[random.Next(_pickles.Length)];
        byte[] pickle = random.Next(8) == 0 ? PickleMutator.Join(opcodes) : PickleMutator.Mutate(opcodes, random);
        byte[] file = zip ? StoredZip.Make(pickle, random) : Legacy(pickle, random);
        return random.Next(8) == 0 ? ByteMutator.Mutate(file, random) : file;
    }

    public Outcome Run(byte[] file)
    {
        StateDict state = TorchStateDict.Read(file, "damaged");
        if (++_runs % 1000 == 0)
            Architecture.Detect(state);
        return Outcome.Read;
    }

    public bool IsDocumented(Exception exception) => exception is InvalidModelException;

    private static readonly byte[] Keys = new PickleWriter().Op(']').Op('(').Text("0").Text("1").Op('e').End();
    private static readonly byte[] Head =
    [
        0x80, 2, 0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, (byte)'.', .. new PickleWriter().Raw((byte)'M', 0xe9, 3).End(),
        .. new PickleWriter().Op('}').Text("little_endian").Raw(0x88).Op('s').End(),
    ];

    private static byte[] Legacy(byte[] pickle, Random? random)
    {
        byte[] counts = new byte[16];
        BinaryPrimitives.WriteInt64LittleEndian(counts, random?.Next(4) == 0 ? Numbers.Any(random, 16) : 16);
        BinaryPrimitives.WriteInt64LittleEndian(counts.AsSpan(8), random?.Next(4) == 0 ? Numbers.Any(random, 32) : 32);
        return PickleMutator.Join([Head, pickle, Keys, counts[..8], StoredZip.Long, counts[8..], StoredZip.Short]);
    }

    private static IEnumerable<byte[]> Pickles()
    {
        yield return new PickleWriter().Op('}').Op('(').Text("module.a.weight").Tensor("FloatStorage", "0", 16, 0, [2, 2, 2], [4, 2, 1])
            .Text("module.a.bias").Tensor("FloatStorage", "0", 16, 8, [4], [2]).Text("module.steps").Tensor("ByteStorage", "1", 32, 0, [], []).Op('u').End();
        yield return new PickleWriter().Op('}').Op('(').Text("epoch").Number(7).Text("args").Global("argparse", "Namespace").Op(')').Raw(0x81).Op('}').Op('b')
            .Text("model").Op('}').Op('(').Text("x").Tensor("FloatStorage", "0", 16, 0, [4, 4], [1, 4])
            .Text("n").Tensor("ByteStorage", "1", 32, 0, [1], [1]).Op('u').Op('u').End();
        yield return new PickleWriter().Op('}').Op('(').Text("a.codes_matrix").Tensor("ByteStorage", "1", 32, 0, [4, 8], [8, 1]).Text("a.codebook")
            .Tensor("FloatStorage", "0", 16, 0, [8, 2], [2, 1]).Text("bn.weight").Tensor("FloatStorage", "0", 16, 0, [4], [1]).Op('u').End();
        yield return new PickleWriter().Op('}').Op('(').Text("conv").Op('}').Op('(').Text("centroids").Tensor("FloatStorage", "0", 16, 0, [8, 2], [2, 1])
            .Text("assignments").Tensor("ByteStorage", "1", 32, 0, [32], [1]).Text("n_blocks").Number(8).Text("k").Number(1).Text("is_conv").Raw(0x88).Op('u').Op('u').End();
    }
}
