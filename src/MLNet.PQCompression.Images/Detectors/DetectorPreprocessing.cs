using MLNet.PQCompression.Detectors;
using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Images;

/// <summary>How pictures usually become the input of a detector, by its profile. It is what is assumed where nothing states it.</summary>
internal static class DetectorPreprocessing
{
    /// <summary>The usual preprocessing of a network whose outputs plainly are a detector's; null for any other, or where it takes no three channels.</summary>
    public static (DetectionProfile Profile, ImagePreprocessing Preprocessing)? UsualOf(ModelGraph model, ImagePreprocessing standard) =>
        standard.Channels == 3 && DetectionProfile.Find(model, standard.Height, standard.Width) is { } profile ? (profile, Usual(profile, standard)) : null;

    private static ImagePreprocessing Usual(DetectionProfile profile, ImagePreprocessing standard)
    {
        ImagePreprocessing plain = standard with { Range = 255, Mean = [0, 0, 0], Std = [1, 1, 1], ShortSide = 0 };
        return profile.Name switch
        {
            "yolox" => plain with { Order = ChannelOrder.Bgr, Resize = ResizeMode.LetterboxTopLeft },
            "ultraface" => plain with { Mean = [127, 127, 127], Std = [128, 128, 128], Resize = ResizeMode.Exact },
            // The mean and deviation are in the network; it takes pictures of any size, an exported one those of one size.
            "torchvision" => plain with { Range = 1, Resize = ResizeMode.LetterboxTopLeft },
            _ => standard with { Resize = ResizeMode.Exact, ShortSide = 0 },
        };
    }
}
