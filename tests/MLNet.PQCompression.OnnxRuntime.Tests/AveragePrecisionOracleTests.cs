using System.IO.Compression;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using MLNet.PQCompression.Detectors;
using MLNet.PQCompression.Images;
using MLNet.PQCompression.Images.Coco;
using MLNet.PQCompression.Tests;

namespace MLNet.PQCompression.OnnxRuntime.Tests;

/// <summary>Average precision of a trained Mask R-CNN, held to what an independent implementation of COCO's definition measured on the same pictures.</summary>
public sealed class AveragePrecisionOracleTests
{
    private const int Side = 128;

    [SkippableFact]
    public void AMaskRcnnHasThePrecisionThatWasMeasuredElsewhere()
    {
        CocoAnnotations annotations = CocoAnnotations.Read(SharedData.Require("maskrcnn/scenes-test-300.json"));
        using var session = new Microsoft.ML.OnnxRuntime.InferenceSession(SharedData.Require("maskrcnn/maskrcnn-scenes.onnx"), new SessionOptions { IntraOpNumThreads = 1 });
        using ZipArchive zip = ZipFile.OpenRead(SharedData.Require("maskrcnn/scenes-test-300.zip"));
        var found = new List<DetectedObject>();
        foreach (CocoPicture picture in annotations.Pictures.Values)
            found.AddRange(Detect(session, picture, Decode(zip.GetEntry(picture.FileName)!)));

        DetectionMetrics boxes = AveragePrecision.Of(annotations.Objects, found), masks = AveragePrecision.Of(annotations.Objects, found, OverlapOf.Masks);
        // Box AP 0.8020, AP50 0.9708, mask AP 0.6737, AP50 0.9650.
        Assert.Equal((0.802, 0.971), (Math.Round(boxes.Mean, 3), Math.Round(boxes.At50, 3)));
        Assert.Equal((0.674, 0.965), (Math.Round(masks.Mean, 3), Math.Round(masks.At50, 3)));
    }

    private static RgbImage Decode(ZipArchiveEntry entry)
    {
        using Stream stream = entry.Open();
        using var bytes = new MemoryStream();
        stream.CopyTo(bytes);
        return ImageDecoder.Decode(bytes.ToArray());
    }

    private static IEnumerable<DetectedObject> Detect(Microsoft.ML.OnnxRuntime.InferenceSession session, CocoPicture picture, RgbImage image)
    {
        var pixels = new float[3 * Side * Side];
        for (int i = 0; i < Side * Side; i++)
            for (int c = 0; c < 3; c++)
                pixels[(c * Side * Side) + i] = image.Pixels[(3 * i) + c] / 255f;
        using IDisposableReadOnlyCollection<DisposableNamedOnnxValue> outputs = session.Run([NamedOnnxValue.CreateFromTensor(session.InputNames[0], new DenseTensor<float>(pixels, [3, Side, Side]))]);
        float[] boxes = [.. outputs[0].AsTensor<float>()], scores = [.. outputs[2].AsTensor<float>()], masks = [.. outputs[3].AsTensor<float>()];
        long[] labels = [.. outputs[1].AsTensor<long>()];
        return [.. labels.Select((label, i) => new DetectedObject(picture.Id, label, scores[i], new(boxes[4 * i], boxes[(4 * i) + 1], boxes[(4 * i) + 2], boxes[(4 * i) + 3]),
            RunLengthMask.Above(masks.AsSpan(i * Side * Side, Side * Side), Side, Side, 0.5f)))];
    }
}
