using Google.Protobuf;
using MLNet.PQCompression.Formats.Onnx.Schema;
using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Formats.Onnx;

/// <summary>Tensors of a model that is too large for one message, in a file beside it.</summary>
internal static class ExternalTensors
{
    /// <summary>Where each tensor begins, so that runtimes can map the file: a multiple of 4 KiB.</summary>
    private const long Alignment = 4096;

    /// <summary>Tensors below this stay in the message.</summary>
    private const int LeastBytes = 1024;

    private const int External = 1;

    /// <summary>The bytes of a model in one message; where they are more than one holds, within some bytes a tensor.</summary>
    public static long SizeOf(ModelProto model)
    {
        TensorProto[] large = [.. Large(model)];
        long data = large.Sum(t => (long)t.RawData.Length);
        if (data < int.MaxValue / 2)
            return model.CalculateSize();
        ByteString[] taken = [.. large.Select(t => t.RawData)];
        foreach (TensorProto tensor in large)
            tensor.ClearRawData();
        long rest = model.CalculateSize();
        foreach ((TensorProto tensor, ByteString bytes) in large.Zip(taken))
            tensor.RawData = bytes;
        return rest + data;
    }

    /// <summary>Moves the large tensors of a model into a file, which is there whole or not at all.</summary>
    /// <param name="model">The model.</param>
    /// <param name="path">The file, in the folder in which the model will be.</param>
    public static void MoveOut(ModelProto model, string path)
    {
        string partial = path + ".partial";
        try
        {
            using (FileStream file = File.Create(partial))
                foreach (TensorProto tensor in Large(model))
                {
                    file.Position = (file.Position + Alignment - 1) / Alignment * Alignment;
                    tensor.ExternalData.Add(Entry("location", Path.GetFileName(path)));
                    tensor.ExternalData.Add(Entry("offset", file.Position.ToString(System.Globalization.CultureInfo.InvariantCulture)));
                    tensor.ExternalData.Add(Entry("length", tensor.RawData.Length.ToString(System.Globalization.CultureInfo.InvariantCulture)));
                    tensor.DataLocation = External;
                    tensor.RawData.WriteTo(file);
                    tensor.ClearRawData();
                }
            File.Move(partial, path, overwrite: true);
        }
        finally
        {
            File.Delete(partial);
        }
    }

    private static IEnumerable<TensorProto> Large(ModelProto model) => model.Graph.Initializer.Where(t => t.RawData.Length >= LeastBytes);

    private static StringStringEntryProto Entry(string key, string value) => new() { Key = key, Value = value };
}
